"""What the simulated domains of tau2-bench raise when a call cannot be carried out."""


class Refused(ValueError):
    """A call changed nothing; the message is the sentence that the caller is told."""
