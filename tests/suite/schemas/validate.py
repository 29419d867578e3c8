"""Validates documents. Objects with listed properties have no others: what is printed is documented."""
import json
import os
import pathlib

from jsonschema import Draft202012Validator

folder = pathlib.Path(os.environ["FOLDER"])
wrong = []


def closed(schema):
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        return schema
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


def open_objects(schema, path):
    """Objects that a schema says nothing of."""
    if isinstance(schema, dict):
        if "object" in schema.get("type", ()) and not {"properties", "additionalProperties"} & schema.keys():
            wrong.append(f"{path}: an object without properties")
        for key, value in schema.items():
            open_objects(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for at, item in enumerate(schema):
            open_objects(item, f"{path}[{at}]")


schemas = {"json-schema": Draft202012Validator.META_SCHEMA}
for path in folder.glob("*.json"):
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    open_objects(schema, path.stem)
    schemas[path.stem] = closed(schema)
for name, line, document in json.loads(pathlib.Path(os.environ["DOCUMENTS"]).read_text(encoding="utf-8")):
    for error in Draft202012Validator(schemas[name]).iter_errors(document):
        wrong.append(f"{line}: {name}: {error.json_path}: {error.message[:300]}")
        for part in error.context or ():
            wrong.append(f"    {part.json_path}: {part.message[:300]}")
print(chr(10).join(wrong))
