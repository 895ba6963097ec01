"""Every command that a page shows is one that there is, whether a test runs it or not."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from sentiscope.cli import app
from sentiscope.reference.program import commands
from tests.app.job_service import JobService
from tests.containers.compose import COMPOSE
from tests.docs.pages import REASONS, ROOT, Block, blocks, pages, text_of
from training.config.presets import settled
from worker.jobs import JOB_CONFIG

BLOCKS = [block for page in pages() for block in blocks(page)]
SHELL = [block for block in BLOCKS if block.language == "sh"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
INLINE = re.compile(r"`((?:\.venv/bin/)?sentiscope [^`\n]+|make [a-z][^`\n]*)`")
COMMANDS = {each.path.split()[1] for each in commands()}
OPEN = ["/", "/jobs", "/models", "/docs", "/openapi.json"]
"""Pages, which the OpenAPI document does not describe."""

CURL_VALUES = {"-F", "-H", "-o", "-X", "--json", "--data-binary"}


@pytest.fixture(scope="module")
def routes(service: JobService) -> list[str]:
    """Patterns of the paths that there are."""
    found = service.client.get("/openapi.json").json()["paths"]
    parts = [route.replace("{path}", "\0") for route in found]
    return OPEN + [re.sub(r"\{\w+\}", "[^/]+", each).replace("\0", ".+") for each in parts]


def place(block: Block) -> str:
    return block.place


def understood(words: list[str]) -> None:
    """Raises where the command line's own parser refuses the words."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("sentiscope", list(words))
    while getattr(context.command, "commands", None):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def path_of(words: list[str]) -> str | None:
    """Where a curl command asks, without host, values and query."""
    at = 1
    while at < len(words):
        if words[at].startswith("http://127.0.0.1:8000"):
            return urlsplit(words[at]).path or "/"
        at += 2 if words[at] in CURL_VALUES else 1
    return None


@pytest.mark.parametrize("page", pages())
def test_every_block_says_what_it_is(page: str) -> None:
    fences = re.findall(r"^```(?!`)", text_of(page), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page)), "a fence without a language, or one not closed"


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.not_run], ids=place)
def test_reason_for_not_being_run_is_a_known_one(block: Block) -> None:
    assert block.not_run in REASONS


@pytest.mark.parametrize("block", SHELL, ids=place)
def test_commands_are_understood(block: Block, routes: list[str]) -> None:
    for words in block.commands():
        program = Path(words[0]).name
        if arguments := arguments_of_ours(words):
            understood(arguments)
        elif program == "make":
            assert {word for word in words[1:] if "=" not in word} <= TARGETS, words
        elif program == "curl" and (path := path_of(words)):
            assert any(re.fullmatch(route, path) for route in routes), path
        elif words[:2] == ["docker", "compose"]:
            assert {"up", "build", *COMPOSE["services"]} & set(words), words


def arguments_of_ours(words: list[str]) -> list[str] | None:
    """What `sentiscope` is given, be it started by another program, as by sudo or Docker."""
    if Path(words[0]).name == "sentiscope":
        return words[1:]
    for at, (word, following) in enumerate(pairwise(words), start=1):
        if Path(word).name == "sentiscope" and following in COMMANDS:
            return words[at:]
    return None


@pytest.mark.parametrize("page", pages())
def test_commands_within_sentences_are_there(page: str) -> None:
    for said in INLINE.findall(text_of(page)):
        program, name, *rest = said.split()
        if program == "make":
            assert name in TARGETS, said
            continue
        path = f"sentiscope {name} {rest[0] if rest else ''}".strip()
        ours = [
            each for each in commands() if path == each.path or path.startswith(f"{each.path} ")
        ]
        assert ours or name in COMMANDS, said
        options = {option for each in ours for found in each.options for option in found.opts}
        given = {word for word in rest if re.fullmatch(r"--[a-z-]+", word)} - {"--help"}
        assert given <= options, said


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=place)
def test_configuration_is_a_valid_one(block: Block) -> None:
    found = yaml.safe_load(block.text)
    if "recipe" in found or "preset" in found:
        JOB_CONFIG.validate_python(settled(found))


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    """Within the repository: to a file that is there and, in a page, to a heading that it has."""
    for target in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", text_of(page)):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """As GitHub names them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
