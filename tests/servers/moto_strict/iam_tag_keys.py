"""IAM's users and roles compare tag keys without case, its other types with case.

"Tag key values for IAM users and roles are not case sensitive, but case is preserved. This means that you cannot have separate
Department and department tag keys. If you have tagged a user with the Department=finance tag and you add the department=hr tag, it
replaces the first tag. A second tag is not added. For other IAM resource types, tag key values are case sensitive."

moto refuses a request with two such keys, but keeps both when the second comes in a later request (roles, users), does not look at
the tags of a new user, and ignores case where AWS does not (policies, OIDC providers).

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from moto_strict import after_import


def _written(tags, new):
    """A user's or role's tags after a write: a tag with the same key gives way, also to another spelling."""
    keys = {tag["Key"].lower() for tag in new}
    return [tag for tag in tags if tag["Key"].lower() not in keys] + list(new)


def _removed(tags, keys):
    keys = {key.lower() for key in keys}
    return [tag for tag in tags if tag["Key"].lower() not in keys]


@after_import("moto.iam.models")
def compare_tag_keys_as_iam_does(models):
    backend = models.IAMBackend
    create_user, untag_role = backend.create_user, backend.untag_role

    def set_user_tags(self, name, change):
        arn = self.get_user(name).arn
        tags = change(self.tagger.list_tags_for_resource(arn)["Tags"])
        self.tagger.delete_all_tags_for_resource(arn)
        self.tagger.tag_resource(arn, tags)

    def strict_create_user(self, region_name, user_name, path="/", tags=None):
        self._tag_verification(tags or [])
        return create_user(self, region_name, user_name, path, tags)

    def tag_user(self, name, tags):
        self._tag_verification(tags)
        set_user_tags(self, name, lambda present: _written(present, tags))

    def untag_user(self, name, tag_keys):
        set_user_tags(self, name, lambda present: _removed(present, tag_keys))

    def tag_role(self, role_name, tags):
        self._tag_verification(tags)
        role = self.get_role(role_name)
        role.tags = _written(role.tags, tags)

    def strict_untag_role(self, role_name, tag_keys):
        untag_role(self, role_name, tag_keys)
        role = self.get_role(role_name)
        role.tags = _removed(role.tags, tag_keys)

    backend.create_user, backend.tag_user, backend.untag_user = strict_create_user, tag_user, untag_user
    backend.tag_role, backend.untag_role = tag_role, strict_untag_role
    _compare_with_case(models)


def _compare_with_case(models):
    """Policies and OIDC providers: moto stores their tags by the key in lower case."""
    backend = models.IAMBackend
    create_policy, create_provider = backend.create_policy, backend.create_open_id_connect_provider

    def checked(self, tags):
        """By their keys as they are spelled; each is verified alone, for the check of the whole ignores case."""
        for tag in tags:
            self._tag_verification([tag])
        by_key = {tag["Key"]: tag for tag in tags}
        if len(tags) > 50:
            self._tag_verification(tags)
        if len(by_key) < len(tags):
            raise models.DuplicateTags()
        return by_key

    def strict_create_policy(self, description, path, policy_document, policy_name, tags):
        by_key = checked(self, tags)
        policy = create_policy(self, description, path, policy_document, policy_name, [])
        policy.tags = by_key
        return policy

    def strict_create_provider(self, url, thumbprint_list, client_id_list, tags):
        by_key = checked(self, tags)
        provider = create_provider(self, url, thumbprint_list, client_id_list, [])
        provider.tags = by_key
        return provider

    def tag_policy(self, policy_arn, tags):
        self.get_policy(policy_arn).tags.update(checked(self, tags))

    def untag_policy(self, policy_arn, tag_keys):
        policy = self.get_policy(policy_arn)
        for key in tag_keys:
            self._validate_tag_key(key, exception_param="tagKeys")
            policy.tags.pop(key, None)

    def tag_provider(self, arn, tags):
        self.get_open_id_connect_provider(arn).tags.update(checked(self, tags))

    def untag_provider(self, arn, tag_keys):
        provider = self.get_open_id_connect_provider(arn)
        for key in tag_keys:
            self._validate_tag_key(key, exception_param="tagKeys")
            provider.tags.pop(key, None)

    backend.create_policy, backend.tag_policy, backend.untag_policy = strict_create_policy, tag_policy, untag_policy
    backend.create_open_id_connect_provider = strict_create_provider
    backend.tag_open_id_connect_provider, backend.untag_open_id_connect_provider = tag_provider, untag_provider
