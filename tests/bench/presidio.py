#!/usr/bin/env python3
"""Presidio's pattern recognizers, to compare with: texts in, findings out, for `cargo xtask bench redaction`.

usage: presidio.py [REGION..]

Telephone numbers of the regions are looked for besides those of Presidio's own. Each line of the input is a JSON object
{"text": ..}. The first line of the output is {"types": [..]}, what can be found at all; then comes for each line of the
input {"findings": [[type, start, end, score], ..], "seconds": ..}: places are bytes of the text in UTF-8, seconds are time
on a processor that the analysis of this text took.

The registry is Presidio's default one, the default threshold of 0 included, but for the recognizer that needs a model:
tokens come from spaCy's blank English pipeline, with words in lower case in place of lemmas, which is what the search
for context words reads. The list of public suffixes is the copy that comes with tldextract: nothing is downloaded.
"""

import json
import logging
import sys
import time

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SpacyRecognizer
from spacy.language import Language

LANGUAGE = "en"


@Language.component("words_in_lower_case")
def words_in_lower_case(doc):
    for token in doc:
        token.lemma_ = token.lower_
    return doc


class BlankEngine(SpacyNlpEngine):
    """Tokens without a model."""

    def __init__(self):
        super().__init__(models=[{"lang_code": LANGUAGE, "model_name": "blank"}])
        pipeline = spacy.blank(LANGUAGE)
        pipeline.add_pipe("words_in_lower_case")
        self.nlp = {LANGUAGE: pipeline}

    def load(self):
        pass


def analyzer(regions):
    engine = BlankEngine()
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE])
    registry.recognizers = [each for each in registry.recognizers if not isinstance(each, SpacyRecognizer)]
    for recognizer in registry.recognizers:
        if isinstance(recognizer, PhoneRecognizer):
            recognizer.supported_regions = (*PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS, *regions)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])


def byte_places(text):
    """The place in UTF-8 of each character, and of the end."""
    places, place = [0], 0
    for character in text:
        place += len(character.encode("utf-8", "surrogatepass"))
        places.append(place)
    return places


def main():
    logging.disable(logging.WARNING)
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    presidio = analyzer(sys.argv[1:])
    presidio.analyze("the first text pays for what is loaded late", LANGUAGE)
    print(json.dumps({"types": sorted(presidio.get_supported_entities(LANGUAGE))}), flush=True)
    for line in sys.stdin:
        text = json.loads(line)["text"]
        begun = time.process_time()
        results = presidio.analyze(text, LANGUAGE)
        seconds = time.process_time() - begun
        places = byte_places(text)
        findings = [[each.entity_type, places[each.start], places[each.end], each.score] for each in results]
        print(json.dumps({"findings": findings, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
