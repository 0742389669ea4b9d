"""The environments: importing this registers every id with Gymnasium, and loads none of them."""

if __name__ != "acgym.envs":  # a second import under another name would load every class twice
    raise ImportError(f"this package is acgym.envs; it was imported as {__name__!r}. Write 'import acgym.envs'.")

from gymnasium.envs.registration import register

from acgym.envs.acbench import register_tasks
from acgym.suites import register_suite

register("ACB/ToolCall-v0", "acgym.envs.tools.call.env:ToolCall", max_episode_steps=30)
register("ACB/Workflow-v0", "acgym.envs.workflow.workflow:Workflow", max_episode_steps=3)
register("ACB/Needle-v0", "acgym.envs.context.needle:Needle", max_episode_steps=3)
register("ACB/Household-v0", "acgym.envs.world.household.env:Household", max_episode_steps=42)
register("ACB/WorkflowFunctions-v0", "acgym.envs.workflow.scenarios:WorkflowFunctions", max_episode_steps=3)
register("ACB/WorkflowProblem-v0", "acgym.envs.workflow.scenarios:WorkflowProblem", max_episode_steps=3)
register("ACB/WorkflowEmbodied-v0", "acgym.envs.workflow.scenarios:WorkflowEmbodied", max_episode_steps=3)
register("ACB/WorkflowOpen-v0", "acgym.envs.workflow.scenarios:WorkflowOpen", max_episode_steps=3)
register("ACB/WorkflowRun-v0", "acgym.envs.workflow.run:WorkflowRun", max_episode_steps=40)
register("ACB/WorfBench-v0", "acgym.envs.workflow.worfbench:WorfBench", max_episode_steps=1)
register("ACB/TEval-v0", "acgym.envs.tools.teval:TEval", max_episode_steps=1)
register("ACB/BFCL-v0", "acgym.envs.tools.bfcl.env:BFCL", max_episode_steps=200)
register("ACB/WebShop-v0", "acgym.envs.world.shop.env:WebShop", max_episode_steps=30)
register("ACB/GridNav-v0", "acgym.envs.world.gridnav.env:GridNav", max_episode_steps=105)
register("ACB/Adventure-v0", "acgym.envs.world.adventure.env:Adventure", max_episode_steps=300)
register("ACB/Lab-v0", "acgym.envs.world.lab.env:Laboratory", max_episode_steps=120)
register("ACB/Desk-v0", "acgym.envs.world.office.env:OfficeDesk", max_episode_steps=60)
register("ACB/PDDL-v0", "acgym.envs.world.planning.env:PDDL", max_episode_steps=70)
register("ACB/LongGenBench-v0", "acgym.envs.context.longgenbench:LongGenBench", max_episode_steps=1)
register("ACB/LongBench-v0", "acgym.envs.context.longbench:LongBench", max_episode_steps=1)
register("ACB/LongQA-v0", "acgym.envs.context.longqa.env:LongQA", max_episode_steps=3)
register("ACB/LongGen-v0", "acgym.envs.context.longgen.env:LongGen", max_episode_steps=3)
register("ACB/LongAgent-v0", "acgym.envs.context.longagent.env:LongAgent", max_episode_steps=750)
register("ACB/NIAH-v0", "acgym.envs.context.niah:NIAH", max_episode_steps=1)
register("ACB/Telecom-v0", "acgym.envs.tools.telecom.env:Telecom", max_episode_steps=30)
register("ACB/Retail-v0", "acgym.envs.tools.desk.env:Retail", max_episode_steps=40)
register("ACB/Airline-v0", "acgym.envs.tools.desk.env:Airline", max_episode_steps=40)
register("ACB/ToolRetrieve-v0", "acgym.envs.tools.abilities.retrieve:ToolRetrieve", max_episode_steps=3)
register("ACB/ToolUnderstand-v0", "acgym.envs.tools.abilities.understand:ToolUnderstand", max_episode_steps=3)
register("ACB/ToolPlan-v0", "acgym.envs.tools.abilities.plan:ToolPlan", max_episode_steps=3)
register("ACB/ToolReason-v0", "acgym.envs.tools.abilities.reason:ToolReason", max_episode_steps=3)
register("ACB/ToolReview-v0", "acgym.envs.tools.abilities.review:ToolReview", max_episode_steps=3)
register("ACB/ToolInstruct-v0", "acgym.envs.tools.abilities.instruct:ToolInstruct", max_episode_steps=3)
register("ACB/ToolQuery-v0", "acgym.envs.tools.query.env:ToolQuery", max_episode_steps=30)
register("ACB/ToolOperation-v0", "acgym.envs.tools.operation.env:ToolOperation", max_episode_steps=60)
register("ACB/BabyAI-v0", "acgym.envs.world.simulators.babyai:BabyAI", max_episode_steps=400)
register("ACB/ScienceWorld-v0", "acgym.envs.world.simulators.scienceworld:ScienceWorld", max_episode_steps=400)

register_tasks()
register_suite(
    "workflow",
    [
        "ACB/Workflow-v0",
        "ACB/WorkflowFunctions-v0",
        "ACB/WorkflowProblem-v0",
        "ACB/WorkflowEmbodied-v0",
        "ACB/WorkflowOpen-v0",
        "ACB/WorkflowRun-v0",
    ],
)
