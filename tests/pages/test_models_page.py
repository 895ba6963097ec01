"""The page of models in a real browser."""

import pytest

from tests.pages.browser import Tab
from tests.pages.site import Site
from tests.tiny_bundle import tiny_writer

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def page(tab: Tab, pages: Site) -> Tab:
    tab.open(f"{pages.url}/models")
    tab.until("document.querySelector('.card')")
    return tab


def test_versions_aliases_lineage_and_card_are_shown(page: Tab) -> None:
    text = page.text()
    assert "Version 2" in text
    assert "Tells red, green and blue apart." in page.text(".card")
    assert "tiny" in page.run("document.querySelector('.graph').getAttribute('aria-label')")
    assert "version=" not in page.run("document.querySelector('.version a').href")


def test_alias_is_promoted_and_rolled_back(page: Tab, pages: Site) -> None:
    for version, word in (("2", "Promote"), ("1", "Roll back")):
        page.choose("#alias-production", version)
        assert page.text(".aliases button") == word
        page.click(".aliases button")
        page.until(
            f"document.querySelector('#status').innerText === 'production of tiny means version {version} now.'"
        )
        page.until("document.querySelector('.aliases button').innerText === 'In place'")
        assert pages.registry.aliases("tiny")["production"] == version


def test_another_alias_is_made(page: Tab, pages: Site) -> None:
    page.click("details summary")
    page.choose("#new-alias", "canary")
    page.run("document.querySelector('details form').requestSubmit()")
    page.until("document.querySelector('#alias-canary')")
    assert pages.registry.aliases("tiny")["canary"] == "2"


def test_damaged_version_leaves_the_others_and_the_aliases(page: Tab, pages: Site) -> None:
    for _ in range(2):
        damaged = pages.registry.publish("worn", tiny_writer("worn"))
    pages.registry.set_alias("worn", "production", version="2")
    with (damaged.path / "model.onnx").open("ab") as file:
        file.write(b"!")
    page.open(f"{pages.url}/models#worn")
    page.until("document.querySelector('#alias-production')")
    assert "model.onnx" in page.text(".version.shown")
    page.choose("#alias-production", "1")
    page.click(".aliases button")
    page.until("document.querySelector('.version.shown')?.innerText.includes('Version 1')")
    assert all("503" in each for each in page.complaints())
    page.pipe.events.clear()


def test_graph_and_table_and_card_are_made_of_what_they_are_given(page: Tab) -> None:
    found = page.run(
        """(async () => {
          const { lineageOf } = await import('./static/lineage.js');
          const { markdown } = await import('./static/markdown.js');
          const from = (run) => ({ weights: { source: 'run', run } });
          const lineage = {
            config: { recipe: 'amalgamate', backbone: from('p'), teachers: [from('s'), from('p')] },
            datasets: [{ name: 'emotions' }],
            ancestors: [
              { run: 's', config: { recipe: 'pretrain', step: 'stimuli' }, datasets: [{ name: 'scenes' }] },
              { run: 'p', config: { recipe: 'pretrain', step: 'perceiving' }, datasets: [{ name: 'scenes' }] },
            ],
          };
          const { nodes, edges } = lineageOf({ name: 'm', version: '1', lineage });
          const card = document.createElement('div');
          card.append(...markdown('# A\\n\\nsome **bold** <img src=x onerror=alert(1)>\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n'));
          return [nodes.map(({ title }) => title), edges.length, card.innerHTML];
        })()"""
    )
    titles, edges, card = found
    assert titles == ["stimuli", "scenes", "perceiving", "amalgamate", "emotions", "m"]
    assert edges == 6
    assert "<strong>bold</strong> &lt;img" in card
    assert "<td>2</td>" in card


def test_run_built_upon_a_namesake_and_a_circle_are_drawn(page: Tab) -> None:
    found = page.run(
        """(async () => {
          const { lineageOf } = await import('./static/lineage.js');
          const { graphOf } = await import('./static/graph.js');
          const weights = { source: 'run', run: 'elsewhere/p' };
          const ancestors = [{ run: 'p', config: { recipe: 'finetune', weights }, datasets: [] }];
          const lineage = { config: { recipe: 'finetune', weights }, datasets: [], ancestors };
          const { edges } = lineageOf({ name: 'm', version: '1', lineage });
          const nodes = ['a', 'b'].map((id) => ({ id, kind: 'run', title: id, note: '' }));
          const circle = graphOf({ nodes, edges: [['a', 'b'], ['b', 'a']] }, 'Circle');
          return [edges, circle.querySelectorAll('.node').length, circle.innerHTML];
        })()"""
    )
    edges, nodes, drawn = found
    assert edges == [["run p", "run (training)"], ["run (training)", "model m"]]
    assert nodes == 2
    assert "NaN" not in drawn
