"""Training of the policy that sees: vision, language, action.

    words   the vocabulary of the phrases of policy/skill/workbench.yaml
    data    shards of demonstrations as batches, by the mixture of the recipe
    model   the network, its losses, and its weights as the robot reads them
    train   the loop: AdamW, warm-up and cosine, EMA, bf16, resume, curves
    run     from nothing to weights: demonstrations, training, rounds of DAgger
    recipe  .json: every number that the committed weights were made with

Simulation is the Go program's (kuai demos), in a process of its own: a software
OpenGL and PyTorch in one process can clash over LLVM.
"""
