"""Plans and vaults."""

from lab import client, maker, shared


@maker("backup-vault")
def vault(name, tags):
    client("backup").create_backup_vault(**{"BackupVaultName": name, **({"BackupVaultTags": tags} if tags else {})})
    return name


@shared
def target():
    client("backup").create_backup_vault(BackupVaultName="target")
    return "target"


@maker("backup-plan")
def plan(name, tags):
    rules = [{"RuleName": "daily", "TargetBackupVaultName": target()}]
    client("backup").create_backup_plan(**{
        "BackupPlan": {"BackupPlanName": name, "Rules": rules}, **({"BackupPlanTags": tags} if tags else {})})
    return name


@maker("backup-report-plan")
def report_plan(name, tags):
    client("backup").create_report_plan(**{
        "ReportPlanName": name, "ReportDeliveryChannel": {"S3BucketName": "reports"},
        "ReportSetting": {"ReportTemplate": "BACKUP_JOB_REPORT"}, **({"ReportPlanTags": tags} if tags else {})})
    return name
