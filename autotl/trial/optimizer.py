"""Adam whose rates are variables, so that one compiled training step serves every plan of a structure."""

from typing import Any

import keras


class TransferAdam(keras.optimizers.Adam):
    """Adam with decoupled weight decay, and a smaller rate for backbone weights than for the head.

    `backbone_rate_ratio` and `decay` are scalar variables: assigning them takes effect in an already compiled step,
    where Python numbers would have become constants of the graph.

    Papers: Kingma & Ba, "Adam", ICLR 2015 (arXiv:1412.6980); Loshchilov & Hutter, "Decoupled Weight Decay
    Regularization", ICLR 2019 (arXiv:1711.05101).
    """

    def __init__(self, *, backbone_variables: list[keras.Variable], name: str = "transfer_adam") -> None:
        super().__init__(learning_rate=1e-3, name=name)
        self._backbone_ids = frozenset(id(variable) for variable in backbone_variables)  # a list would become its state
        self._of_backbone: frozenset[int] = frozenset()
        with keras.name_scope(name):
            self.backbone_rate_ratio = keras.Variable(1.0, trainable=False, name="backbone_rate_ratio")
            self.decay = keras.Variable(0.0, trainable=False, name="decay")

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the moments; remembers backbone variables by their index, for a backend may pass its own objects on."""
        self._of_backbone = frozenset(
            index for index, variable in enumerate(variables) if id(variable) in self._backbone_ids
        )
        super().build(variables)

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """One step of one variable; weight decay applies to matrices and kernels, not to biases and scales."""
        rate = keras.ops.cast(learning_rate, variable.dtype)
        if self._get_variable_index(variable) in self._of_backbone:
            rate = rate * keras.ops.cast(self.backbone_rate_ratio, variable.dtype)
        if len(variable.shape) > 1:
            self.assign_sub(variable, variable * rate * keras.ops.cast(self.decay, variable.dtype))
        super().update_step(gradient, variable, rate)
