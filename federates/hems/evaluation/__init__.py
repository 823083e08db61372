"""How good interviews are: dialogues with simulated householders, scores, metrics, and regret.

    from federates.hems.evaluation.arms import ARMS
    from federates.hems.evaluation.measuring import Plan, measured_dialogues
    from federates.hems.evaluation.metrics import metrics

    scores = measured_dialogues(ARMS["rules"], Plan(seed=0, n_dialogues=50))
    print(metrics(scores, seed=0)["accuracy_said"])

Definitions stand in docs/hems/evaluation.md.
"""
