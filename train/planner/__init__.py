"""Training of the planner's adapter.

    catalogue  the skills of policy/skill/tabletop.yaml with their predicates
    scene      a table with blocks and bowls, as the prompt tells of it
    plan       a small planner by regression over when and success
    goals      goals of each family, from which plans are derived
    phrasing   how people say a goal
    generate   pairs of instruction and plan, without doubles, in fixed splits
    checkpoint the GGUF base model as a PyTorch model, and its tokenizer
    train      LoRA (arXiv 2106.09685) on the steps of the plans

Nothing here runs on the robot: what comes out is an adapter in the layout of
peft, which kuai reads beside the unchanged GGUF file.
"""
