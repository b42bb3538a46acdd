import pytest

from plant_aggregate.assessment.conformal.methods import Method, named_methods
from plant_aggregate.assessment.conformal.registry import RULES, SCORES
from plant_aggregate.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("softmax", "softmax/standard"),
        ("softmax/classwise", "softmax/classwise"),
        ("softmax/interp-q:tau=0.5", "softmax/interp-q:tau=0.5"),
    ],
)
def test_a_method_is_a_score_and_a_rule_with_options(text, whole):
    assert str(Method.of(text)) == whole
    assert Method.of(whole) == Method.of(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sofmax/standard", "score is 'sofmax' but must be one of softmax"),
        ("softmax/claswise", "threshold is 'claswise' but must be one of standard"),
        ("softmax/interp-q:tou=0.5", r"interp-q has no option 'tou'.*tau"),
        ("softmax/standard:tau=1", r"standard has no option 'tau'.*it has none"),
        ("softmax/interp-q:tau=much", "tau is 'much' but must be a number"),
        ("softmax/interp-q:tau=2", "tau is 2.0 but must be in"),
        ("softmax/interp-q:tau=0.5,tau", "tau has no value"),
    ],
)
def test_what_is_wrong_with_a_method_is_said(text, message):
    with pytest.raises(ParameterError, match=message):
        Method.of(text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (7, "methods are wanted, not an int: write a list of texts such as"),
        ("softmax", "methods are wanted, not the text 'softmax': write a list of texts such as"),
        ([7], "a method is wanted, not an int: write a text such as"),
        ({"mine": None}, "a method is wanted, not None: write a text such as"),
    ],
)
def test_what_is_no_method_is_a_wrong_type(given, message):
    with pytest.raises(TypeError, match=message):
        named_methods(given)


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_says_what_it_guarantees(name):
    guarantee = RULES[name].guarantee
    assert guarantee == "" or ">= 1 - " in guarantee


@pytest.mark.parametrize("name", list(SCORES))
def test_every_score_is_a_method_with_the_standard_rule(name):
    assert str(Method.of(name)) == f"{name}/standard"
