"""The page of jobs in a real browser; the tests play the worker."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from app.presets import shipped_presets
from tests.app.client import publish_tiny
from tests.app.pictures import encoded, solid
from tests.app.server import served
from tests.pages.browser import Tab
from tests.pages.site import Site
from worker.jobs import JobResult
from worker.status import JobStatus

pytestmark = pytest.mark.timeout(240)
PIPELINE: dict[str, Any] = {"kind": "pipeline", "config": {"preset": "demo"}, "name": "chain"}


def shows(tab: Tab, text: str) -> None:
    tab.until(f"document.body.innerText.includes({text!r})")


def test_running_job_is_listed_with_its_progress(tab: Tab, pages: Site) -> None:
    job_id, lease = pages.started()
    tab.open(f"{pages.url}/jobs")
    row = f"a[href='#{job_id}']"
    tab.until(f'document.querySelector("{row}")')
    text = tab.text(row)
    assert "finetune" in text
    assert "running" in text
    assert "40 % · training · epoch 2 of 3 · 61 images/s · 1 min 23 s left" in text
    pages.told(lease, fraction=0.9, epoch=3)
    tab.until(f'document.querySelector("{row}").innerText.includes("90 %")')


def test_service_without_jobs_says_so_without_a_complaint(
    tab: Tab, pages: Site, tmp_path: Path
) -> None:
    publish_tiny(tmp_path)
    with served(tmp_path, keys_file=tmp_path / "keys") as plain:
        tab.open(f"{plain.url}/jobs")
        shows(tab, "Jobs are not enabled here")
        assert tab.complaints() == []
        tab.open(f"{pages.url}/jobs")


def test_focus_stays_on_a_job_while_the_list_goes_on(tab: Tab, pages: Site) -> None:
    job_id, lease = pages.started()
    tab.open(f"{pages.url}/jobs")
    row = f"a[href='#{job_id}']"
    tab.until(f'document.querySelector("{row}")')
    tab.run(f'document.querySelector("{row}").focus()')
    pages.told(lease, fraction=0.61, epoch=2)
    tab.until(f'document.querySelector("{row}").innerText.includes("61 %")')
    assert tab.run(f'document.activeElement.matches("{row}")')


def test_job_is_followed_to_its_end_with_curves_log_files_and_pictures(
    tab: Tab, pages: Site
) -> None:
    job_id, lease = pages.started()
    pages.file(job_id, "pictures/colourised.png", encoded(solid()))
    tab.open(f"{pages.url}/jobs#{job_id}")
    tab.until("document.querySelectorAll('.chart').length === 2")
    assert "loss: train from 2 to 0.6667 in 3 points; val from 2.2 to" in tab.run(
        "document.querySelector('.chart svg').getAttribute('aria-label')"
    )
    shows(tab, "epoch 3: loss 0.73")
    tab.until("document.querySelector('.pictures img')?.naturalWidth === 32")
    assert tab.run("document.querySelector('.files a').href").endswith("/artifacts/log.txt")
    result = JobResult(model="tiny", version="2", reason="it is better")
    pages.store.move(job_id, JobStatus.SUCCEEDED, lease=lease, result=result)
    shows(tab, "Model tiny, version 2")
    tab.until("document.querySelector('#status').innerText.includes('is succeeded')")
    tab.run(
        "[...document.querySelectorAll('button')].find((b) => b.innerText.startsWith('Promote')).click()"
    )
    shows(tab, "It is in production now.")
    assert pages.registry.aliases("tiny")["production"] == "2"


def test_files_that_grow_take_neither_the_focus_nor_the_pictures_away(
    tab: Tab, pages: Site
) -> None:
    job_id, _ = pages.started()
    pages.file(job_id, "pictures/colourised.png", encoded(solid()))
    tab.open(f"{pages.url}/jobs#{job_id}")
    tab.until("document.querySelector('.pictures img')?.naturalWidth === 32")
    tab.run("document.querySelector('.pictures img').dataset.seen = 'yes'")
    tab.run("document.querySelector('.files a').focus()")
    tab.run("globalThis.before = document.querySelector('.files li').innerText")
    pages.file(job_id, "log.txt", "x" * 5000)
    tab.until("document.querySelector('.files li').innerText !== before")
    assert tab.run("document.activeElement.matches('.files a')")
    assert tab.run("document.querySelector('.pictures img').dataset.seen") == "yes"


def test_actions_are_those_that_the_state_allows(tab: Tab, pages: Site) -> None:
    job_id = pages.submitted()
    tab.open(f"{pages.url}/jobs#{job_id}")
    offered = "[...document.querySelectorAll('[data-action]')].map((b) => b.innerText).join()"
    tab.until(f"{offered} === 'Pause,Cancel'")
    tab.click("[data-action=pause]")
    tab.until(f"{offered} === 'Resume,Cancel'")
    tab.click("[data-action=resume]")
    tab.until(f"{offered} === 'Pause,Cancel'")
    tab.click("[data-action=cancel]")
    tab.until(f"{offered} === 'Retry'")
    assert pages.store.get(job_id).status is JobStatus.CANCELLED


def test_failed_job_says_why(tab: Tab, pages: Site) -> None:
    job_id, lease = pages.started()
    error = {"type": "OutOfMemory", "message": "the device has no memory left"}
    pages.store.move(job_id, JobStatus.FAILED, lease=lease, error=error)
    tab.open(f"{pages.url}/jobs#{job_id}")
    shows(tab, "the device has no memory left")


def test_pipeline_is_submitted_by_the_form_and_shows_its_steps(tab: Tab, pages: Site) -> None:
    tab.open(f"{pages.url}/jobs#new")
    tab.until("document.querySelector('#field-config-preset')?.value === 'demo/pipeline'")
    [preset] = [each.config for each in shipped_presets() if each.name == "demo/pipeline"]
    shown = tab.run("document.querySelector('#field-config-stimuli-epochs').value")
    assert shown == str(preset["stimuli"]["epochs"])
    tab.choose("#field-config-stimuli-epochs", "1")
    tab.choose("#field-name", "from the form")
    tab.choose("#field-config", '{"export": {"int8": false}}')
    assert '"stimuli":{"epochs":1}' in tab.run(
        "document.querySelector('form .copyable pre').textContent"
    )
    tab.run("document.querySelector('form').requestSubmit()")
    tab.until("document.querySelectorAll('ol .job').length === 6")
    record = pages.store.get(tab.run("location.hash.slice(1)"))
    assert record.name == "from the form"
    assert record.config.stimuli.epochs == 1  # type: ignore[union-attr]
    assert record.config.organizing.epochs == preset["organizing"]["epochs"]  # type: ignore[union-attr]
    assert not record.config.export.int8  # type: ignore[union-attr]
    assert tab.text("ol").split("\n")[0] == "stimuli"


def test_steps_of_pipelines_are_found_by_their_kind(tab: Tab, pages: Site) -> None:
    pages.submitted(PIPELINE)
    tab.open(f"{pages.url}/jobs")
    tab.until("document.querySelector('.job')")
    assert "chain: stimuli" not in tab.text(".jobs")
    tab.choose("#filter-kind", "pretrain")
    shows(tab, "chain: stimuli")


def test_faults_stand_at_their_fields(tab: Tab, pages: Site) -> None:
    tab.open(f"{pages.url}/jobs#new")
    tab.until("document.querySelector('#field-config-stimuli-epochs')")
    tab.choose("#field-config-stimuli-epochs", "many")
    tab.choose("#field-config", '{"export": {"typo": 1}}')
    tab.run("document.querySelector('form').requestSubmit()")
    tab.until("document.querySelectorAll('[aria-invalid=true]').length === 2")
    assert "integer" in tab.text("#field-config-stimuli-epochs-fault")
    assert "export.typo" in tab.text("#field-config-fault")
    assert tab.run("document.activeElement.id") == "field-config-stimuli-epochs"
    assert all("422" in each for each in tab.complaints())
    tab.pipe.events.clear()
    tab.choose("#field-config", "{")
    tab.run("document.querySelector('form').requestSubmit()")
    shows(tab, "This is not JSON")


def test_every_preset_opens_and_its_unchanged_form_changes_nothing(tab: Tab, pages: Site) -> None:
    tab.open(f"{pages.url}/jobs#new")
    tab.until("document.querySelector('#field-config-preset')?.value")
    presets = httpx.get(f"{pages.url}/v1/presets", timeout=30).json()["items"]
    assert len(presets) > 20
    for preset in presets:
        tab.choose("#field-kind", preset["kind"])
        tab.choose("#field-config-preset", preset["name"])
        call = tab.run("document.querySelector('form .copyable pre').textContent")
        assert f'"config":{{"preset":"{preset["name"]}"}}' in call


def test_evaluation_takes_the_job_that_it_is_of(tab: Tab, pages: Site) -> None:
    job_id = pages.submitted()
    tab.open(f"{pages.url}/jobs#new")
    tab.until("document.querySelector('#field-config-preset')?.value")
    tab.choose("#field-kind", "evaluate")
    tab.choose("#field-config-preset", "demo/evaluate")
    tab.choose("#field-config-run", job_id)
    assert tab.run("document.querySelectorAll('#known-jobs option').length") > 0
    tab.run("document.querySelector('form').requestSubmit()")
    tab.until("document.querySelector('.pill')")
    assert pages.store.get(tab.run("location.hash.slice(1)")).depends_on == (job_id,)


def test_a_data_set_is_chosen_once_for_all_its_places(tab: Tab, pages: Site) -> None:
    tab.open(f"{pages.url}/jobs#new")
    tab.until("document.querySelector('#field-config-preset')?.value === 'demo/pipeline'")
    known = "[...document.querySelectorAll('#known-datasets option')].map((o) => o.value)"
    assert set(tab.run(known)) == {each.name for each in pages.settings.datasets_root.iterdir()}
    fields = "[...document.querySelectorAll('[list=known-datasets]')]"
    labels = tab.run(f"{fields}.map((field) => field.labels[0].innerText)")
    assert labels == ["Data set demo-scenes", "Data set demo-pairs", "Data set demo-emotions"]
    emotions = tab.run(f"{fields}[2].id")
    tab.choose(f"#{emotions}", "nowhere")
    tab.run("document.querySelector('form').requestSubmit()")
    tab.until(f"document.querySelector('#{emotions}').getAttribute('aria-invalid') === 'true'")
    assert "nowhere" in tab.text(f"#{emotions}-fault")
    assert all("404" in each for each in tab.complaints())
    tab.pipe.events.clear()
