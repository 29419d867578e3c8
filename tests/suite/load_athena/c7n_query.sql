select records.awsregion as region,
    records.recipientaccountid as accountId,
    records.eventtime as eventTime,
    records.eventname as eventName,
    records.eventsource as eventSource,
    records.useragent as userAgent,
    records.sourceipaddress as sourceIPAddress,
    records.useridentity.type as userType,
    records.useridentity.arn as userArn,
    records.useridentity.username as userName,
    records.useridentity.invokedby as invokedBy,
    records.requestparameters as requestParameters,
    records.responseelements as responseElements
from "default"."cloudtrail_logs" as records
where records.errorcode is null
  and records.eventname in ('CreateBucket', 'CreateRole', 'CreateFunction20150331')
