"""The part of a process in a search of many: variables of KerasTuner's, options that set them."""

import os

import pytest

from autogenome_tf.config import processes
from autogenome_tf.core.errors import InputError

VARIABLES = (processes.TUNER, processes.HOST, processes.PORT)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if k not in VARIABLES})


def given(*values):
    os.environ.update(zip(VARIABLES, values, strict=True))


def test_without_variables_a_process_is_alone():
    assert processes.own_role() is None
    processes.take()
    assert processes.own_role() is None


def test_a_scheduler_names_the_part():
    given("chief", "10.0.0.1", "9000")
    assert (
        processes.own_role() == processes.ProcessRole("chief", "10.0.0.1", 9000)
        and processes.own_role().is_chief
    )
    given("task-3", "10.0.0.1", "9000")
    assert not processes.own_role().is_chief and processes.own_role().address == "10.0.0.1:9000"
    processes.take()  # no option, no change
    assert processes.own_role().tuner == "task-3"


@pytest.mark.parametrize("left_out", VARIABLES)
def test_a_missing_variable_is_named(left_out):
    given("chief", "localhost", "8000")
    os.environ[left_out] = " "
    with pytest.raises(InputError, match=f"^environment: {left_out} missing"):
        processes.own_role()


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "8000.5", "٨"])
def test_a_port_is_a_number(port):
    given("chief", "localhost", port)
    with pytest.raises(InputError, match=f"{processes.PORT}: expected a port from 1 to 65535"):
        processes.own_role()


def test_options_set_the_variables():
    processes.take("chief")
    assert processes.own_role() == processes.ProcessRole("chief", "127.0.0.1", 8000)


def test_a_worker_is_no_chief_whatever_its_machine_is_called(monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "chief-of-staff")
    processes.take("worker", "node7:123")
    assert not processes.own_role().is_chief and processes.own_role().address == "node7:123"


def test_an_address_of_the_command_line_goes_before_that_of_the_environment():
    given("task-3", "10.0.0.1", "9000")
    processes.take("worker")
    assert processes.own_role() == processes.ProcessRole("task-3", "10.0.0.1", 9000)
    processes.take("worker", "node7:123")
    assert processes.own_role() == processes.ProcessRole("task-3", "node7", 123)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((None, "localhost:8000"), "--role"),
        (("chief", "localhost"), "expected HOST:PORT; received 'localhost'"),
        (("chief", "localhost:x"), "--chief: expected a port from 1 to 65535; received 'x'"),
    ],
)
def test_wrong_options_are_one_message(arguments, said):
    with pytest.raises(InputError, match=said):
        processes.take(*arguments)


@pytest.mark.parametrize(("role", "tuner"), [("worker", "chief"), ("chief", "task-3")])
def test_role_and_variable_must_not_disagree(role, tuner):
    given(tuner, "localhost", "8000")
    with pytest.raises(InputError, match=f"--role {role}: {processes.TUNER} is '{tuner}'"):
        processes.take(role)
