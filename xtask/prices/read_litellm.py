"""Prints the price table of a LiteLLM wheel as JSON, with every number as the text that stands in the table.

Nothing of the package is run.
"""

import json
import sys
import zipfile

TABLE = "litellm/model_prices_and_context_window_backup.json"


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        table = archive.read(TABLE)
    json.dump(json.loads(table, parse_float=str, parse_int=str), sys.stdout)


main(sys.argv[1])
