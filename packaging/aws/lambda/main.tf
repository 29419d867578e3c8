# A scheduled run of trailcreator for a small organization, on Lambda: loads new records of the trail, then tags all accounts. The
# database is on EFS. Apply it in the account that may read the trail's bucket, instead of ../organization. See docs/operations.md.
# function.yml creates the same.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "image" {
  type        = string
  description = "URI of the image built from packaging/aws/lambda/Dockerfile, with its digest, in a private ECR repository in this region"
}

variable "architecture" {
  type        = string
  description = "Architecture of the image: x86_64 or arm64"
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture must be x86_64 or arm64."
  }
}

variable "memory" {
  type        = number
  description = "Memory in MB. Lambda allocates CPU in proportion to memory, with one vCPU at 1769 MB"
  default     = 2048

  validation {
    condition     = var.memory >= 512 && var.memory <= 10240
    error_message = "The memory must be between 512 and 10240 MB."
  }
}

variable "trail_bucket" {
  type        = string
  description = "Name of the trail's bucket"
}

variable "trail_key_arn" {
  type        = string
  description = "ARN of the KMS key that encrypts the trail; empty if there is none"
  default     = ""
}

variable "member_role_name" {
  type        = string
  description = "Name of the role in each account (trailcreator policy member)"
  default     = "trailcreator"
}

variable "vpc_id" {
  type        = string
  description = "VPC of the function"
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets that reach the AWS APIs through a NAT gateway or endpoints, each in its own Availability Zone"
}

variable "schedule" {
  type        = string
  description = "Schedule expression. If a run is still in progress, the next one waits for up to five minutes, and is then skipped"
  default     = "rate(1 hour)"
}

variable "alarm_topic" {
  type        = string
  description = "ARN of the SNS topic that the alarms notify; empty for no notification"
  default     = ""
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account       = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  region        = data.aws_region.current.name
  alarm_actions = var.alarm_topic == "" ? [] : [var.alarm_topic]
  function_name = "trailcreator-run"
  function_arn  = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${local.function_name}"

  # Lambda needs these actions to connect the function to the VPC.
  network_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]
}

resource "aws_iam_role" "hub" {
  name = "trailcreator-hub"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# The policy of "trailcreator policy hub".
resource "aws_iam_role_policy" "hub" {
  name = "hub"
  role = aws_iam_role.hub.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Effect = "Allow"
        Action = [
          "identitystore:DescribeUser",
          "organizations:ListAccounts",
          "organizations:ListAccountsForParent",
          "organizations:ListOrganizationalUnitsForParent",
          "organizations:ListRoots",
          "organizations:ListTagsForResource",
        ]
        Resource = ["*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["arn:${local.partition}:s3:::${var.trail_bucket}/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = ["arn:${local.partition}:s3:::${var.trail_bucket}"]
      },
      {
        Effect   = "Allow"
        Action   = ["sts:AssumeRole"]
        Resource = ["arn:${local.partition}:iam::*:role/${var.member_role_name}"]
      },
      {
        Effect   = "Allow"
        Action   = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource = [aws_efs_file_system.data.arn]
        Condition = {
          StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.data.arn }
        }
      },
      ], [for key in compact([var.trail_key_arn]) : {
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [key]
    }])
  })
}

resource "aws_iam_role_policy" "lambda" {
  name = "lambda"
  role = aws_iam_role.hub.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.logs.arn}:*"]
      },
      {
        Effect   = "Allow"
        Action   = local.network_actions
        Resource = ["*"]
      },
      # Lambda itself may use these actions; the program in the function may not.
      {
        Effect    = "Deny"
        Action    = local.network_actions
        Resource  = ["*"]
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arn } }
      },
    ]
  })
}

resource "aws_security_group" "function" {
  name        = "trailcreator-function"
  description = "trailcreator, to the AWS APIs and the file system"
  vpc_id      = var.vpc_id

  egress {
    description = "AWS APIs"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    description = "NFS"
    protocol    = "tcp"
    from_port   = 2049
    to_port     = 2049
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "data" {
  name        = "trailcreator-data"
  description = "The database of trailcreator, from the function"
  vpc_id      = var.vpc_id

  ingress {
    description     = "NFS"
    protocol        = "tcp"
    from_port       = 2049
    to_port         = 2049
    security_groups = [aws_security_group.function.id]
  }
}

# The journal, which undo needs, exists only here: it is backed up, and can't be destroyed by mistake.
resource "aws_efs_file_system" "data" {
  encrypted       = true
  throughput_mode = "elastic"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_efs_backup_policy" "data" {
  file_system_id = aws_efs_file_system.data.id

  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "data" {
  count           = length(var.subnet_ids)
  file_system_id  = aws_efs_file_system.data.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [aws_security_group.data.id]
}

# The same user as in ../organization, so that the file system can move from one to the other.
resource "aws_efs_access_point" "data" {
  file_system_id = aws_efs_file_system.data.id

  posix_user {
    uid = 10001
    gid = 10001
  }

  root_directory {
    path = "/trailcreator"

    creation_info {
      owner_uid   = 10001
      owner_gid   = 10001
      permissions = "0700"
    }
  }
}

resource "aws_cloudwatch_log_group" "logs" {
  name              = "/trailcreator"
  retention_in_days = 90
}

resource "aws_lambda_function" "run" {
  function_name = local.function_name
  description   = "Loads new records of the trail, then tags all accounts"
  package_type  = "Image"
  image_uri     = var.image
  architectures = [var.architecture]
  memory_size   = var.memory
  timeout       = 900
  role          = aws_iam_role.hub.arn
  depends_on    = [aws_efs_mount_target.data, aws_iam_role_policy.lambda]

  # SQLite's WAL is shared memory of one host, so one invocation at a time may use the database.
  reserved_concurrent_executions = 1

  ephemeral_storage {
    size = 2048
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.function.id]
  }

  file_system_config {
    arn              = aws_efs_access_point.data.arn
    local_mount_path = "/mnt/trailcreator"
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.logs.name
  }

  environment {
    variables = {
      TRAILCREATOR_NO_PROGRESS = "true"
      # One per line; see bootstrap. The accounts file is in the database's folder.
      TRAILCREATOR_COMMANDS = join("\n", ["load-s3 --bucket ${var.trail_bucket}", "tag-org accounts.yml"])
    }
  }
}

# No retries: the next scheduled run continues after a failure.
resource "aws_lambda_function_event_invoke_config" "run" {
  function_name                = aws_lambda_function.run.function_name
  qualifier                    = "$LATEST"
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 300
}

resource "aws_iam_role" "scheduler" {
  name = "trailcreator-scheduler"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start"
  role = aws_iam_role.scheduler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = [aws_lambda_function.run.arn]
    }]
  })
}

resource "aws_scheduler_schedule" "schedule" {
  name                = "trailcreator"
  schedule_expression = var.schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.run.arn
    role_arn = aws_iam_role.scheduler.arn
    input    = "{}"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "trailcreator-failed"
  alarm_description   = "A run of trailcreator ended with an exit code other than 0 and 4, or was stopped shortly before the time limit. See the log group."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.run.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  alarm_name          = "trailcreator-silent"
  alarm_description   = "No run of trailcreator has succeeded for a day."
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions

  metric_query {
    id          = "succeeded"
    label       = "Invocations without error"
    expression  = "invocations - errors"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { invocations = "Invocations", errors = "Errors" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/Lambda"
        metric_name = metric_query.value
        dimensions  = { FunctionName = aws_lambda_function.run.function_name }
        stat        = "Sum"
        period      = 86400
      }
    }
  }
}

output "hub_role_arn" {
  description = "Value of hub_role_arn for the roles in the accounts"
  value       = aws_iam_role.hub.arn
}

output "function_name" {
  description = "Name of the function; invoke it to start a run now"
  value       = aws_lambda_function.run.function_name
}

output "file_system_id" {
  description = "File system that holds the database"
  value       = aws_efs_file_system.data.id
}
