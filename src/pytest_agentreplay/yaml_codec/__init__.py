"""Strict YAML of JSON values: read, write, locate, and change in place."""

from pytest_agentreplay.yaml_codec.places import locate
from pytest_agentreplay.yaml_codec.problems import YamlError
from pytest_agentreplay.yaml_codec.reading import parse
from pytest_agentreplay.yaml_codec.splicing import splice
from pytest_agentreplay.yaml_codec.writing import render

__all__ = ["YamlError", "locate", "parse", "render", "splice"]
