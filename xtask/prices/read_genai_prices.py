"""Prints the data of a genai-prices wheel as JSON.

The data module is read as a syntax tree, never run: it consists of calls of data classes with literal arguments.
A call becomes an object with the class name under "is"; decimals and dates stay text, exactly as written.
"""

import ast
import json
import sys
import zipfile


def value(node):
    match node:
        case ast.Constant():
            return node.value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [value(element) for element in elements]
        case ast.Dict(keys=keys, values=values):
            return {value(key): value(entry) for key, entry in zip(keys, values, strict=True)}
        case ast.Attribute():
            return ast.unparse(node)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = ast.unparse(function).rsplit(".", 1)[-1]
            fields = {keyword.arg: value(keyword.value) for keyword in keywords}
            positional = [value(argument) for argument in arguments]
            if name == "Decimal" and len(positional) == 1 and not fields:
                return positional[0]
            if name == "date" and not fields:
                return "{:04}-{:02}-{:02}".format(*positional)
            if name == "time":
                if fields.get("tzinfo") not in ("datetime.UTC", "datetime.timezone.utc", "timezone.utc"):
                    raise SystemExit(f"line {node.lineno}: a time of day that is not UTC")
                if any(positional[2:]):
                    raise SystemExit(f"line {node.lineno}: a time of day with seconds")
                return "{:02}:{:02}".format(*positional[:2])
            if positional:
                raise SystemExit(f"line {node.lineno}: {name} has arguments without names")
            return {"is": name, **fields}
    raise SystemExit(f"line {node.lineno}: cannot read {ast.unparse(node)[:80]}")


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("genai_prices/data.py"))
        units = ast.parse(archive.read("genai_prices/data_units.py"))
    data = {}
    for module in (tree, units):
        for statement in module.body:
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in ("providers", "unit_data"):
                    data[target.id] = value(statement.value)
    json.dump(data, sys.stdout)


main(sys.argv[1])
