"""Files that are laid beside an exported model: how raw files become probabilities, without autotl.

An export has three of them, and whoever serves the model elsewhere may read them as the reference of what to do:

- `predict.py` finds the examples in files and is the command; one for all exports.
- `preprocess.py` makes the model's input of raw examples; one of `pixels`, `tokens`, `columns`, `samples`, `raw` here.
- `runtime.py` runs the model; one a format, in `runtimes`.

They import Python, NumPy, Pillow for images, the format's own runtime, and each other: nothing of autotl.
"""
