# The queue that "trailcreator watch" follows, its dead-letter queue, alarms on both, and the EventBridge rule that sends new log
# files of a trail's bucket to it. Apply it in the account and region of the bucket. See docs/watch.md.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "trail_bucket" {
  type        = string
  description = "Name of the trail's bucket. Turn on EventBridge notifications in its properties."
}

variable "key_prefix" {
  type        = string
  description = "Start of the keys of the trail's log files"
  default     = "AWSLogs/"
}

variable "queue_name" {
  type        = string
  description = "Name of the queue; the dead-letter queue has the same name with -dead"
  default     = "trailcreator"
}

variable "alarm_topic" {
  type        = string
  description = "ARN of the SNS topic that the alarms notify; empty for no notification"
  default     = ""
}

locals {
  alarm_actions = var.alarm_topic == "" ? [] : [var.alarm_topic]
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.queue_name}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "trail" {
  name                       = var.queue_name
  message_retention_seconds  = 1209600
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 120
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    # A restart of the process is a delivery, too.
    maxReceiveCount = 10
  })
}

resource "aws_sqs_queue_policy" "trail" {
  queue_url = aws_sqs_queue.trail.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.trail.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.new_log_files.arn } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "new_log_files" {
  name        = "${var.queue_name}-new-log-files"
  description = "New log files of the trail"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.trail_bucket] }
      object = { key = [{ prefix = var.key_prefix }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule = aws_cloudwatch_event_rule.new_log_files.name
  arn  = aws_sqs_queue.trail.arn
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.queue_name}-dead-letters"
  alarm_description   = "trailcreator could not read messages. They are in the dead-letter queue."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "backlog" {
  alarm_name          = "${var.queue_name}-backlog"
  alarm_description   = "trailcreator is not running, or too slow. The oldest message is an hour old."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.trail.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 3600
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}

output "queue_url" {
  description = "For --queue"
  value       = aws_sqs_queue.trail.url
}

output "queue_arn" {
  description = "For other sources of notifications"
  value       = aws_sqs_queue.trail.arn
}

output "dead_letter_queue_url" {
  description = "Messages that can't be read"
  value       = aws_sqs_queue.dead.url
}
