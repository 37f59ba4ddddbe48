"""The order of plans: baselines, given ones, one per backbone, then Optuna; and each trial ends in one state."""

import math

import optuna
import pytest
from optuna.trial import TrialState

from autotl.backbones import BackboneSpec
from autotl.plan import Choice, Plan, trial_seed
from autotl.plan.baselines import Baseline, baselines
from autotl.plan.packets import packet_key
from autotl.plan.space import Alternatives, Fixed, Options, Range, Space
from autotl.search.proposer import Proposer
from autotl.search.sampler import make_sampler

A, B, C = (BackboneSpec("application", name, weights="imagenet") for name in ("VGG16", "MobileNetV2", "ResNet50"))


def a_space(*backbones: BackboneSpec, **changes) -> Space:
    fields = {
        name: Fixed(getattr(Plan, name)) for name in Plan.__dataclass_fields__ if name not in ("backbone", "seed")
    }
    some = {"learning_rate": Range(1e-5, 1e-1, "log"), "unfrozen_layers": Options({0: 0, 4: 4})}
    space = Space({"backbone": Fixed(A), "adaptation": Fixed(Plan.adaptation), **fields, **some, **changes})
    return space.with_backbones(list(backbones or (A, B, C)))


def a_proposer(space: Space | None = None, *, trials: int = 6, **more) -> Proposer:
    direction = "maximize" if more.get("higher_is_better", True) else "minimize"
    study = optuna.create_study(direction=direction, sampler=make_sampler(trials=trials, seed=5))
    proposer = Proposer(study, space or a_space(), trials=trials, task_seed=5, **more)
    proposer.study = study
    return proposer


def run(proposer: Proposer, score=lambda plan: 0.5, flops=lambda plan: None) -> list:
    """Carries every proposal to its end, one after the other."""
    done = []
    while (proposal := proposer.propose()) is not None:
        proposer.end(proposal.number, "complete", score(proposal.plan), flops=flops(proposal.plan))
        done.append(proposal)
    return done


def backbones_of(proposals) -> list[BackboneSpec]:
    return [proposal.plan.backbone for proposal in proposals]


def test_baselines_come_first_and_are_not_counted():
    space = a_space()
    done = run(a_proposer(space, baselines=baselines(space, setting="inductive", wanted="auto"), trials=4))
    probes, rest = ["linear_probe"] * 3, ["no_transfer", "full_finetune"]
    assert [proposal.baseline for proposal in done] == [*probes, *rest, None, None, None, None]
    assert [proposal.number for proposal in done] == list(range(9))


def test_given_plans_come_next_and_are_counted():
    given = [Plan(B, learning_rate=1e-3, unfrozen_layers=4), Plan(A, learning_rate=5e-2)]
    proposer = a_proposer(given=given, baselines=[Baseline("linear_probe", Plan(A))], trials=2)
    done = run(proposer)
    assert [proposal.plan.key() for proposal in done[1:]] == [plan.key() for plan in given]
    assert proposer.finished_because == "trials"


def test_where_the_number_is_no_measure_of_a_backbone_a_promise_is():
    promises = {A: 0.6, B: 0.4, C: 0.9}
    space = a_space()
    proposer = a_proposer(space, baselines=baselines(space, setting="inductive", wanted=("linear_probe",)), trials=3)
    done = []
    while (proposal := proposer.propose()) is not None:
        proposer.end(proposal.number, "complete", 0.0, promise=promises[proposal.plan.backbone])
        done.append(proposal)
    assert backbones_of(done)[3:6] == [C, A, B]


@pytest.mark.parametrize(("higher_is_better", "order"), [(True, [C, A, B]), (False, [B, A, C])])
def test_then_one_plan_per_backbone_the_best_by_its_probe_first(higher_is_better, order):
    scores = {A: 0.6, B: 0.4, C: 0.9}
    space = a_space()
    proposer = a_proposer(
        space,
        baselines=baselines(space, setting="inductive", wanted=("linear_probe",)),
        trials=3,
        higher_is_better=higher_is_better,
    )
    done = run(proposer, score=lambda plan: scores[plan.backbone])
    assert backbones_of(done)[3:] == order


def test_given_seeds_are_kept_and_the_others_follow_from_task_and_number():
    done = run(a_proposer(given=[Plan(A, seed=77), Plan(B)], trials=5))
    assert done[0].plan.seed == 77
    assert [proposal.plan.seed for proposal in done[1:]] == [trial_seed(5, number) for number in range(1, 5)]


def test_equal_plans_run_once_whoever_proposes_them():
    plan = Plan(A, learning_rate=1e-3)
    idle = Plan(A, learning_rate=1e-3, augmentation="flip", backbone_rate_ratio=0.9, seed=4)
    done = run(a_proposer(baselines=[Baseline("linear_probe", plan)], given=[plan, idle, Plan(B)], trials=3))
    keys = [proposal.plan.key() for proposal in done]
    assert len(keys) == len(set(keys)) == 4
    assert keys[1] == Plan(B).key()


def test_a_small_space_is_searched_to_its_end_and_said_so():
    proposer = a_proposer(a_space(A, B, learning_rate=Fixed(1e-3)), trials=50)
    done = run(proposer)
    assert {(proposal.plan.backbone, proposal.plan.unfrozen_layers) for proposal in done} == {
        (backbone, layers) for backbone in (A, B) for layers in (0, 4)
    }
    assert len(done) == 4
    assert proposer.finished_because == "the space holds no further plan"
    states = [trial.state for trial in proposer.study.get_trials()]
    assert states.count(TrialState.COMPLETE) == 4
    assert set(states) == {TrialState.COMPLETE, TrialState.FAIL}, "an equal plan is told off, never left running"


def test_a_skipped_backbone_is_never_proposed_again():
    space = a_space(A, B)
    proposer = a_proposer(space, baselines=baselines(space, setting="inductive", wanted="auto"), trials=6)
    done = []
    while (proposal := proposer.propose()) is not None:
        is_missing = proposal.plan.backbone == A
        proposer.end(proposal.number, "skipped" if is_missing else "complete", None if is_missing else 0.5)
        done.append(proposal)
    assert backbones_of(done).count(A) == 1


def test_the_search_goes_on_with_the_other_backbones_when_one_is_skipped():
    proposer = a_proposer(a_space(A, B), trials=12)
    number = 0
    while (proposal := proposer.propose()) is not None:
        is_missing = proposal.plan.backbone == A
        number += not is_missing
        proposer.end(proposal.number, "skipped" if is_missing else "complete", None if is_missing else 0.5)
    assert number == 12


def test_every_plan_of_a_space_of_choices_is_run_before_the_space_counts_as_searched():
    space = a_space(learning_rate=Options({1e-4: 1e-4, 1e-3: 1e-3, 1e-2: 1e-2}), dropout=Options({0.0: 0.0, 0.5: 0.5}))
    done = run(a_proposer(space, trials=60), score=lambda plan: plan.learning_rate)
    assert len(done) == 36


def test_a_trial_that_turns_out_to_be_skipped_gives_its_place_back():
    proposer = a_proposer(trials=2, given=[Plan(A)])
    first = proposer.propose()
    assert first.plan.backbone == A
    proposer.end(first.number, "skipped", None)
    assert set(backbones_of(run(proposer))) <= {B, C}
    assert len(proposer.study.get_trials(states=[TrialState.COMPLETE])) == 2


def test_a_plan_known_to_be_impossible_gets_a_number_and_keeps_its_backbone_away():
    proposer = a_proposer(trials=5)
    number = proposer.skip(Plan(C))
    assert proposer.study.get_trials()[number].state == TrialState.FAIL
    done = run(proposer)
    assert C not in backbones_of(done)
    assert len(done) == 5
    assert number not in [proposal.number for proposal in done]


def test_a_plan_stopped_early_is_pruned_with_all_its_steps():
    proposer = a_proposer(trials=1)
    number = proposer.propose().number
    for epoch, score in enumerate((0.1, 0.4, 0.3), start=1):
        proposer.step(number, epoch, score)
    proposer.end(number, "pruned", 0.3)
    trial = proposer.study.get_trials()[number]
    assert trial.state == TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.1, 2: 0.4, 3: 0.3}


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, None])
def test_a_score_that_is_no_finite_number_fails_and_cannot_lead(score):
    proposer = a_proposer(trials=2)
    bad, good = proposer.propose(), proposer.propose()
    if score is not None:
        proposer.step(bad.number, 1, score)
    proposer.end(bad.number, "complete", score)
    proposer.end(good.number, "complete", 0.1)
    trial = proposer.study.get_trials()[bad.number]
    assert (trial.state, trial.value, trial.intermediate_values) == (TrialState.FAIL, None, {})
    assert proposer.study.best_trial.number == good.number


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("complete", TrialState.COMPLETE),
        ("pruned", TrialState.PRUNED),
        ("failed", TrialState.FAIL),
        ("skipped", TrialState.FAIL),
    ],
)
def test_every_status_is_one_state_and_frees_its_place(status, state):
    proposer = a_proposer()
    number = proposer.propose().number
    assert proposer.running == 1
    proposer.end(number, status, 0.5)
    assert proposer.running == 0
    assert proposer.study.get_trials()[number].state == state


def test_a_failed_probe_does_not_put_its_backbone_before_others():
    space = a_space(A, B)
    proposer = a_proposer(space, baselines=baselines(space, setting="inductive", wanted=("linear_probe",)), trials=2)
    for status, score in (("failed", 0.9), ("complete", 0.1)):
        proposer.end(proposer.propose().number, status, score)
    assert proposer.propose().plan.backbone == B


def test_full_finetuning_takes_the_backbone_with_the_fewest_operations():
    cost = {A: 30, B: 10, C: 20}
    space = a_space()
    proposer = a_proposer(space, baselines=baselines(space, setting="inductive", wanted="auto"), trials=1)
    done = run(proposer, flops=lambda plan: cost.get(plan.backbone, 1))
    (full,) = [proposal for proposal in done if proposal.baseline == "full_finetune"]
    assert full.plan.backbone == B, "not the network of no_transfer, which is cheaper and not pretrained"
    assert full.plan.unfrozen_layers == "all"


def test_optuna_learns_from_plans_that_we_chose_where_they_lie_inside_the_space():
    inside, outside = Plan(B, learning_rate=1e-3, unfrozen_layers=4), Plan(B, learning_rate=0.9)
    proposer = a_proposer(given=[inside, outside], trials=2)
    run(proposer)
    first, second = proposer.study.get_trials()
    assert first.params == {"backbone": "MobileNetV2", "learning_rate": 1e-3, "unfrozen_layers": 4}
    assert second.params == {}


def test_baselines_are_marked_for_whoever_opens_the_study():
    proposer = a_proposer(baselines=[Baseline("linear_probe", Plan(A))], trials=1)
    run(proposer)
    assert [trial.user_attrs.get("baseline") for trial in proposer.study.get_trials()] == ["linear_probe", None]


def test_the_same_seed_gives_the_same_proposals_and_another_gives_others():
    def plans(seed: int) -> list[str]:
        study = optuna.create_study(direction="maximize", sampler=make_sampler(trials=25, seed=seed))
        proposer = Proposer(study, a_space(), trials=25, task_seed=seed)
        done = run(proposer, score=lambda plan: -abs(math.log10(plan.learning_rate) + 3))
        return [proposal.plan.key() for proposal in done]

    assert plans(1) == plans(1)
    assert plans(1) != plans(2)


@pytest.mark.parametrize(("higher_is_better", "sign"), [(True, -1), (False, 1)])
def test_the_search_goes_where_scores_are_better_in_either_direction(higher_is_better, sign):
    space = a_space(A, unfrozen_layers=Fixed(0))
    proposer = a_proposer(space, trials=45, higher_is_better=higher_is_better)
    done = run(proposer, score=lambda plan: sign * abs(math.log10(plan.learning_rate) + 2))
    distances = [abs(math.log10(proposal.plan.learning_rate) + 2) for proposal in done]
    assert sum(distances[-15:]) / 15 < 0.6 * sum(distances[1:11]) / 10, "random at first, near the best at last"


HEADS_ONLY = {"unfrozen_layers": Fixed(0)}


def packets_of(proposer: Proposer, *, workers: int = 1) -> list[list]:
    """Carries every packet to its end, one after the other."""
    packets = []
    while packet := proposer.propose_packet(workers=workers):
        for proposal in packet:
            proposer.end(proposal.number, "complete", proposal.plan.learning_rate)
        packets.append(packet)
    return packets


@pytest.mark.parametrize(("trials", "workers", "largest"), [(40, 1, 10), (40, 2, 5), (400, 1, 64), (3, 1, 1)])
def test_heads_on_the_same_features_are_proposed_together_but_never_more_than_a_quarter_of_all(
    trials, workers, largest
):
    packets = packets_of(a_proposer(a_space(A, **HEADS_ONLY), trials=trials), workers=workers)
    assert [proposal.number for packet in packets for proposal in packet] == list(range(trials))
    assert max(len(packet) for packet in packets) == largest


def test_what_shares_no_features_waits_for_its_own_turn_and_is_trained_once():
    space = a_space(A, B, **HEADS_ONLY)
    proposer = a_proposer(space, trials=60)
    packets = packets_of(proposer)
    for packet in packets:
        assert len({packet_key(proposal.plan) for proposal in packet}) == 1
    assert sorted(proposal.number for packet in packets for proposal in packet) == list(range(60))
    assert max(len(packet) for packet in packets) > 3
    assert proposer.running == 0
    assert proposer.finished_because == "trials"


def test_where_layers_are_trained_a_plan_is_proposed_with_all_that_is_known():
    packets = packets_of(a_proposer(a_space(A, unfrozen_layers=Fixed(4)), trials=40))
    assert [len(packet) for packet in packets] == [1] * 40


def test_in_a_mixed_space_little_is_asked_for_ahead():
    proposer = a_proposer(a_space(A, unfrozen_layers=Options({0: 0, 4: 4, 8: 8, 12: 12})), trials=100)
    ahead = 0
    while packet := proposer.propose_packet(workers=1):
        ahead = max(ahead, proposer.running - len(packet))
        for proposal in packet:
            proposer.end(proposal.number, "complete", proposal.plan.learning_rate)
    assert 0 < ahead <= 25


def test_baselines_run_alone():
    space = a_space(A, **HEADS_ONLY)
    probes = baselines(space, setting="inductive", wanted=("linear_probe",))
    packets = packets_of(a_proposer(space, baselines=probes, trials=40))
    assert [proposal.baseline for proposal in packets[0]] == ["linear_probe"]
    assert len(packets[1]) == 10


def test_what_was_asked_for_and_never_began_ends_as_failed():
    proposer = a_proposer(a_space(A, B, **HEADS_ONLY), trials=60)
    packet = proposer.propose_packet(workers=1)
    left = proposer.running - len(packet)
    assert left > 0
    for proposal in packet:
        proposer.end(proposal.number, "complete", 0.5)
    proposer.leave_waiting()
    assert proposer.running == 0
    never_began = [trial for trial in proposer.study.get_trials() if trial.user_attrs.get("never_began")]
    assert len(never_began) == left
    assert all(trial.state == TrialState.FAIL for trial in never_began)


def in_company(*ways, **changes) -> Space:
    alternatives = Alternatives({"linear": {}, "hidden": {"units": Fixed(8)}})
    return a_space(A, head=alternatives, dropout=Range(0.0, 0.5, "linear"), **changes).with_values(
        "together", list(ways)
    )


def ways_of(proposals) -> list[str | None]:
    return [proposal.plan.together for proposal in proposals]


def test_half_of_the_trials_learn_the_task_together_with_others():
    probe = [Baseline("linear_probe", Plan(A))]
    done = run(a_proposer(in_company(None, "uniform", "uncertainty"), trials=20, baselines=probe))
    assert done[0].plan.together is None
    ways = ways_of(done[1:])
    assert ways[:3] == [None, "uniform", "uncertainty"]  # the middle of the space in every way there is
    assert sum(way is None for way in ways) == 10
    assert {"uniform", "uncertainty"} <= set(ways[3:])


def test_plans_that_are_given_count_for_the_half_that_they_are_of():
    given = [Plan(A, head=Choice("linear"), dropout=share) for share in (0.1, 0.2, 0.3, 0.4)]
    done = run(a_proposer(in_company(None, "uniform"), trials=12, given=given))
    assert sum(way is None for way in ways_of(done)) == 6


@pytest.mark.parametrize(("ways", "found"), [((None,), {None}), (("uniform",), {"uniform"})])
def test_a_space_of_one_kind_gives_that_alone(ways, found):
    assert set(ways_of(run(a_proposer(in_company(*ways), trials=6)))) == found


def test_where_one_half_is_used_up_the_other_goes_on():
    space = a_space(A, unfrozen_layers=Fixed(0), learning_rate=Fixed(1e-3), head=Alternatives({"hidden": {}}))
    space = space.with_values("together", [None, "uniform"])
    space = Space({**space.dimensions, "dropout": Options({0.0: 0.0, 0.1: 0.1, 0.2: 0.2})})
    done = run(a_proposer(space, trials=20))
    assert sorted(map(str, ways_of(done))) == ["None"] * 3 + ["uniform"] * 3
    assert len({proposal.plan.key() for proposal in done}) == 6


def test_what_is_drawn_is_of_either_half_in_turn():
    straight = run(a_proposer(in_company(None, "uniform"), trials=10))
    assert [way is None for way in ways_of(straight)[2:]] == [True, False] * 4
