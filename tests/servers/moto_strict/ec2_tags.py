"""EC2's tags, which moto lists without pages and with any filters, and launch templates' tags, which moto shows as they were made.

* DescribeTags has pages of MaxResults tags, from 5 to 1,000, and knows five filters.
  https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
* A request has up to 50 filters, and a filter up to 200 values.
  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
* DescribeLaunchTemplates shows the tags that a template has.
  https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplate.html
"""

from . import after_import

FILTERS = ("key", "resource-id", "resource-type", "value")
MOST_FILTERS, MOST_VALUES = 50, 200
PAGES = range(5, 1001)


@after_import("moto.ec2.models.launch_templates")
def show_the_present_tags(models):
    models.LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, tags: None)


@after_import("moto.ec2.responses.tags")
def describe_tags_in_pages(responses):
    from moto.ec2.exceptions import EC2ClientError

    original = responses.TagResponse.describe_tags

    def describe_tags(self):
        filters = self._filters_from_querystring()
        if len(filters) > MOST_FILTERS or any(len(values) > MOST_VALUES for values in filters.values()):
            raise EC2ClientError("FilterLimitExceeded", f"The maximum number of filter values specified on a single call is {MOST_VALUES}.")
        for name in filters:
            if name not in FILTERS and not name.startswith("tag:"):
                raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
        size, start = self._get_int_param("MaxResults"), self._get_param("NextToken")
        if size is not None and size not in PAGES:
            raise EC2ClientError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.")
        if start is not None and not start.isdecimal():
            raise EC2ClientError("InvalidParameterValue", "Unable to parse pagination token")
        answer = original(self)
        start = int(start or 0)
        end = start + (size or max(PAGES))
        if end < len(answer.result["Tags"]):
            answer.result["NextToken"] = str(end)
        answer.result["Tags"] = answer.result["Tags"][start:end]
        return answer

    responses.TagResponse.describe_tags = describe_tags
