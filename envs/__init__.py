"""The environments: importing this registers every id with Gymnasium, and loads none of them."""

if __name__ != "acgym.envs":  # a second import under another name would load every class twice
    raise ImportError(f"this package is acgym.envs; it was imported as {__name__!r}. Write 'import acgym.envs'.")

from gymnasium.envs.registration import register

from acgym.envs.acbench import register_tasks

register("ACB/ToolCall-v0", "acgym.envs.tools.call.env:ToolCall", max_episode_steps=30)
register("ACB/Workflow-v0", "acgym.envs.workflow.workflow:Workflow", max_episode_steps=3)
register("ACB/Needle-v0", "acgym.envs.context.needle:Needle", max_episode_steps=3)
register("ACB/Household-v0", "acgym.envs.world.household.env:Household", max_episode_steps=42)
register("ACB/WorfBench-v0", "acgym.envs.workflow.worfbench:WorfBench", max_episode_steps=1)
register("ACB/TEval-v0", "acgym.envs.tools.teval:TEval", max_episode_steps=1)
register("ACB/BFCL-v0", "acgym.envs.tools.bfcl.env:BFCL", max_episode_steps=200)
register("ACB/PDDL-v0", "acgym.envs.world.planning.env:PDDL", max_episode_steps=70)
register("ACB/LongGenBench-v0", "acgym.envs.context.longgenbench:LongGenBench", max_episode_steps=1)
register("ACB/LongBench-v0", "acgym.envs.context.longbench:LongBench", max_episode_steps=1)
register("ACB/NIAH-v0", "acgym.envs.context.niah:NIAH", max_episode_steps=1)
register("ACB/Telecom-v0", "acgym.envs.tools.telecom.env:Telecom", max_episode_steps=30)
register("ACB/Retail-v0", "acgym.envs.tools.desk.env:Retail", max_episode_steps=40)
register("ACB/Airline-v0", "acgym.envs.tools.desk.env:Airline", max_episode_steps=40)

register_tasks()
