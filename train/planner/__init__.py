"""Training of the planner's adapter.

    catalogue  the skills of policy/skill's catalogues with their predicates
    plan       a small planner by regression over when and success

    scene      a table with blocks and bowls, as the prompt tells of it
    goals      goals of each family there, from which plans are derived
    phrasing   how people say a goal (phrases.yaml)

    house      a household's places and things (things.yaml), as the prompt tells of it
    chores     goals of each family there
    telling    what people call things and places, and say (household.yaml)
    household  pairs of instruction and plan, a few on each scene

    generate   pairs of both worlds, without doubles, in fixed splits (recipe.yaml)
    checkpoint the GGUF base model as a PyTorch model, and its tokenizer
    data       pairs as tokens; those of one scene share a row
    adapters   LoRA, prefixes and bottlenecks on the frozen model
    train      an adapter on the steps of the plans
    measure    plans that an adapter, or none, writes right

Nothing here runs on the robot: what comes out is an adapter in a layout that kuai
reads beside the unchanged GGUF file (docs/models.md).
"""
