"""Adam whose rates are variables, so that one compiled training step serves every plan of a structure."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras


class TransferAdam(keras.optimizers.Adam):
    """Adam with decoupled weight decay, and a rate of its own for every part of the model.

    `rates` (a factor of the learning rate for each part) and `decay` are scalar variables: assigning them takes effect
    in an already compiled step, where Python numbers would have become constants of the graph. A part at rate 0 stays
    as it is.

    Args:
        parts: name -> the variables of that part; those of no part learn at the full rate.

    Papers: Kingma & Ba, "Adam", ICLR 2015 (arXiv:1412.6980); Loshchilov & Hutter, "Decoupled Weight Decay
    Regularization", ICLR 2019 (arXiv:1711.05101).
    """

    def __init__(self, *, parts: Mapping[Any, Sequence[keras.Variable]], name: str = "transfer_adam") -> None:
        super().__init__(learning_rate=1e-3, name=name)
        self._part_by_id = {id(variable): part for part, variables in parts.items() for variable in variables}
        self._part_of: dict[int, str] = {}
        with keras.name_scope(name):
            self.rates = {part: keras.Variable(1.0, trainable=False, name=f"rate_of_{part}") for part in parts}
            self.decay = keras.Variable(0.0, trainable=False, name="decay")

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the moments; remembers parts by the variables' indices, for a backend may pass its own objects on."""
        self._part_of = {
            index: self._part_by_id[id(variable)]
            for index, variable in enumerate(variables)
            if id(variable) in self._part_by_id
        }
        super().build(variables)

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """One step of one variable; weight decay applies to matrices and kernels, not to biases and scales."""
        rate = keras.ops.cast(learning_rate, variable.dtype)
        part = self._part_of.get(self._get_variable_index(variable))
        if part is not None:
            rate = rate * keras.ops.cast(self.rates[part], variable.dtype)
        if len(variable.shape) > 1:
            self.assign_sub(variable, variable * rate * keras.ops.cast(self.decay, variable.dtype))
        super().update_step(gradient, variable, rate)
