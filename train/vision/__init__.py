"""Training of the towers that say how well pictures and sentences fit each other, as
CLIP is trained (arXiv 2103.00020), from nothing.

    data      shards of kuai scenes as pictures of the tower's size, with truths
    words     the tokenizer, in the files that CLIP has
    model     the two towers and their losses
    train     the loop: AdamW, warm-up and cosine, EMA, bf16, resume, curves
    measure   zero-shot questions about combinations that training never had
    run       from nothing to weights
    fixture   what PyTorch makes of a few pictures and sentences, for the Go test

Simulation is the Go program's (kuai scenes), in a process of its own.
"""
