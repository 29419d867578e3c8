# A scheduled run of trailcreator for an organization, on ECS Fargate: loads new records of the trail, then tags all accounts. The
# database is on EFS. Apply it in the account that may read the trail's bucket. See docs/operations.md. hub.yml creates the same.

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
  description = "Container image of packaging/docker/Dockerfile, with its digest"
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
  description = "VPC of the task"
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets, each in its own Availability Zone, that reach the AWS APIs, through a NAT gateway or endpoints"
}

variable "schedule" {
  type        = string
  description = "Schedule expression. If a run is still in progress, the next one is skipped"
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
  machine_arn   = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:trailcreator-run"

  # Containers of a task run one after the other: each waits for the exit code 0 of the one before it.
  container = {
    image       = var.image
    mountPoints = [{ sourceVolume = "data", containerPath = "/data", readOnly = false }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.logs.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "trailcreator"
      }
    }
  }

  trust = {
    for name, service in {
      tasks     = "ecs-tasks.amazonaws.com"
      machine   = "states.amazonaws.com"
      scheduler = "scheduler.amazonaws.com"
      } : name => jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Principal = { Service = service }
          Action    = "sts:AssumeRole"
          Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
        }]
    })
  }
}

resource "aws_iam_role" "hub" {
  name               = "trailcreator-hub"
  assume_role_policy = local.trust.tasks
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

resource "aws_iam_role" "execution" {
  name = "trailcreator-execution"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_security_group" "task" {
  name        = "trailcreator-task"
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
  description = "The database of trailcreator, from the task"
  vpc_id      = var.vpc_id

  ingress {
    description     = "NFS"
    protocol        = "tcp"
    from_port       = 2049
    to_port         = 2049
    security_groups = [aws_security_group.task.id]
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

# The user of the image.
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

resource "aws_ecs_cluster" "cluster" {
  name = "trailcreator"
}

resource "aws_cloudwatch_log_group" "logs" {
  name              = "/trailcreator"
  retention_in_days = 90
}

resource "aws_ecs_task_definition" "task" {
  family                   = "trailcreator"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 1024
  memory                   = 2048
  task_role_arn            = aws_iam_role.hub.arn
  execution_role_arn       = aws_iam_role.execution.arn
  depends_on               = [aws_efs_mount_target.data]

  volume {
    name = "data"

    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.data.id
      transit_encryption = "ENABLED"

      authorization_config {
        access_point_id = aws_efs_access_point.data.id
        iam             = "ENABLED"
      }
    }
  }

  container_definitions = jsonencode([
    merge(local.container, {
      name      = "load"
      essential = false
      command   = ["load-s3", "--bucket", var.trail_bucket, "--no-progress"]
    }),
    merge(local.container, {
      name      = "tag"
      essential = true
      dependsOn = [{ containerName = "load", condition = "SUCCESS" }]
      # The accounts file is in the database's folder: trailcreator accounts -f accounts.yml
      command = ["tag-org", "accounts.yml", "--no-progress"]
    }),
  ])
}

resource "aws_iam_role" "machine" {
  name               = "trailcreator-machine"
  assume_role_policy = local.trust.machine
}

resource "aws_iam_role_policy" "machine" {
  name = "run"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [aws_ecs_task_definition.task.arn]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.cluster.arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["ecs:StopTask", "ecs:DescribeTasks"]
        Resource  = ["*"]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.cluster.arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.hub.arn, aws_iam_role.execution.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      # How Step Functions learns that the task has ended.
      {
        Effect   = "Allow"
        Action   = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
        Resource = ["arn:${local.partition}:events:${local.region}:${local.account}:rule/StepFunctionsGetEventsForECSTaskRule"]
      },
      {
        Effect   = "Allow"
        Action   = ["states:ListExecutions"]
        Resource = [local.machine_arn]
      },
    ]
  })
}

# SQLite's WAL is shared memory of one host, so one task at a time may use the database.
resource "aws_sfn_state_machine" "machine" {
  name     = "trailcreator-run"
  role_arn = aws_iam_role.machine.arn

  definition = jsonencode({
    StartAt        = "ListRuns"
    TimeoutSeconds = 86400
    States = {
      ListRuns = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::aws-sdk:sfn:listExecutions"
        Parameters = {
          "StateMachineArn.$" = "$$.StateMachine.Id"
          StatusFilter        = "RUNNING"
        }
        ResultSelector = { "running.$" = "States.ArrayLength($.Executions)" }
        Next           = "IsAlone"
      }
      IsAlone = {
        Type    = "Choice"
        Choices = [{ Variable = "$.running", NumericGreaterThan = 1, Next = "Skipped" }]
        Default = "Run"
      }
      Skipped = { Type = "Succeed" }
      Run = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::ecs:runTask.sync"
        Parameters = {
          LaunchType     = "FARGATE"
          Cluster        = aws_ecs_cluster.cluster.arn
          TaskDefinition = aws_ecs_task_definition.task.arn
          NetworkConfiguration = {
            AwsvpcConfiguration = {
              Subnets        = var.subnet_ids
              SecurityGroups = [aws_security_group.task.id]
              AssignPublicIp = "DISABLED"
            }
          }
        }
        # Any other exit code than 0, of either command.
        Catch = [{ ErrorEquals = ["States.TaskFailed"], ResultPath = "$.error", Next = "Failed" }]
        End   = true
      }
      Failed = {
        Type  = "Fail"
        Error = "ExitCode"
        Cause = "A command ended with an exit code other than 0. 4: finished, but some accounts or resources failed; 1: failed; 2: wrong options. The log group has its output."
      }
    }
  })
}

resource "aws_iam_role" "scheduler" {
  name               = "trailcreator-scheduler"
  assume_role_policy = local.trust.scheduler
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start"
  role = aws_iam_role.scheduler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["states:StartExecution"]
      Resource = [aws_sfn_state_machine.machine.arn]
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
    arn      = aws_sfn_state_machine.machine.arn
    role_arn = aws_iam_role.scheduler.arn
  }
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "trailcreator-failed"
  alarm_description   = "A run of trailcreator ended with an exit code other than 0. See the execution and the log group."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = aws_sfn_state_machine.machine.arn }
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
  namespace           = "AWS/States"
  metric_name         = "ExecutionsSucceeded"
  dimensions          = { StateMachineArn = aws_sfn_state_machine.machine.arn }
  statistic           = "Sum"
  period              = 86400
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
}

output "hub_role_arn" {
  description = "Value of hub_role_arn for the roles in the accounts"
  value       = aws_iam_role.hub.arn
}

output "state_machine_arn" {
  description = "Start an execution of it to run at once"
  value       = aws_sfn_state_machine.machine.arn
}

output "file_system_id" {
  description = "File system that holds the database"
  value       = aws_efs_file_system.data.id
}
