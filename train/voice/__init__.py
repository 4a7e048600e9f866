"""Training of the voice models: the stop word detector and the audio head.

    words      the words that the detector knows and those that sound like them
    voices     speech synthesizers as functions from text to samples
    bank       clips of words and sentences by voices, each with its exact end
    noise      noise, music, motors, sound events and rooms
    scene      scenes of ten seconds: clips in a room with noise, as features
    features   the log-mel spectrogram of perception/keyword
    detector   the network, its training and its weights
    parity     what the network gives, for the test of the Go package

Nothing here runs on the robot, and no human recording is trained on: what comes
out is small files of weights, which kuai embeds.
"""
