import ast, json, jsonschema, sys, yaml
source = ast.parse(open(PACKAGE + '/c7n_org/cli.py').read())
schema = next(ast.literal_eval(node.value) for node in source.body
              if isinstance(node, ast.Assign) and node.targets[0].id == 'CONFIG_SCHEMA')
document = yaml.safe_load(open(FILE))
jsonschema.validate(document, schema)
json.dump(document, sys.stdout)
