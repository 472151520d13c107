"""Checks an OpenAPI document: valid, every operation named and described, every example true to its schema."""

import json
import sys

import jsonschema
import openapi_spec_validator

document = json.load(open(sys.argv[1]))
openapi_spec_validator.validate(document)

examples = 0
names = set()


def fits(media, where):
    """The example of a media type, against its schema, with references into the document."""
    global examples
    if "example" not in media or media.get("schema", {}).get("type") == "string":
        return
    schema = {**media["schema"], "components": document["components"]}
    try:
        jsonschema.Draft202012Validator(schema).validate(media["example"])
    except jsonschema.ValidationError as error:
        sys.exit(f"FAILED: the example of {where} does not fit its schema: {error.message}")
    examples += 1


operations = 0
for path, item in document["paths"].items():
    for method, operation in item.items():
        if method == "parameters":
            continue
        where = f"{method.upper()} {path}"
        operations += 1
        assert operation["operationId"] not in names, f"{where}: two have its operationId"
        names.add(operation["operationId"])
        assert operation["tags"] and operation["summary"], f"{where}: no tag or no summary"
        for content in [operation.get("requestBody", {})] + list(operation["responses"].values()):
            for media in content.get("content", {}).values():
                fits(media, where)
assert examples, "no examples"
print(f"ok: {operations} operations, {examples} examples fit their schemas")
