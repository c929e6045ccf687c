"""One request after another, each with what the answer before it says, gets described answers.

Schemathesis follows the document's links, and those that it finds by the names of fields: an order
is placed, cancelled, cancelled again and shipped; an endpoint is deleted and then changed. To try
other sequences: --seed, and for more of them FUZZED_REQUESTS.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.core.transport import Response
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import BaseSchema

from ordersite.access.scopes import SCOPES
from tests.openapi.callers import Login, bearer
from tests.openapi.comparing import (
    STREAM,
    Site,
    described,
    differences_of,
    id_of,
    prepared,
    sent,
)
from tests.openapi.prepared import shop
from tests.security.conftest import secret

SEQUENCES = 8 * int(os.environ.get("FUZZED_REQUESTS", 1))
#: Operations that were asked by a link; with fewer the document has lost them.
FEWEST_FOLLOWED = 5
SETTINGS = settings(
    # The first one is always the shortest that there is.
    max_examples=2,
    stateful_step_count=12,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: What takes long, and what ends the key that asks.
LEFT_OUT = (STREAM, "rotateApiKey", "revokeApiKey", "getReadiness")


@pytest.mark.usefixtures("clean", "closed_api")
def test_what_follows_an_answer_is_answered_as_described(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BaseSchema, "transport", Site())
    shop()
    login = bearer(secret(*SCOPES))
    followed: list[str] = []
    wrong: list[str] = []

    for _ in range(SEQUENCES):
        machine = sequences(login, followed, wrong)
        seed(chance.randrange(2**32))(machine)
        # A site remembers what it was asked, so the same requests get other answers.
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(machine, settings=SETTINGS)  # type: ignore[no-untyped-call]

    assert not wrong, "\n\n".join([str(len(wrong)), *wrong])
    assert len({*followed}) > FEWEST_FOLLOWED


def sequences(login: Login, followed: list[str], wrong: list[str]) -> Any:
    """The machine that sends them; it notes the operations that it asked by a link, and what is
    otherwise than described.
    """
    schema = described().exclude(operation_id=list(LEFT_OUT))
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])

    class Sequences(schema.as_state_machine()):  # type: ignore[misc]
        def call(self, case: Any, **_: Any) -> Response:
            return sent(prepared(case, login))

        def validate_response(self, response: Response, case: Any, *_: Any, **__: Any) -> None:
            wrong.extend(differences_of(case, response, login, guarded={id_of(case)}))

        def step(self, asked: Any) -> Any:
            if asked.transition is not None:
                followed.append(id_of(asked.case))
            return super().step(asked)

    return Sequences
