"""The arithmetic: compiled functions on arrays, independent of everything else.

House rules:

- A kernel that runs in blocks takes ``first, last`` first and touches only the groups of ``first <= i < last``,
  plus per-user arrays it only reads. So any partition into blocks, threads or machines gives the same bits.
- A sum of weights is exact before it is rounded once (see ``label_weights``), so its order cannot matter.
- A compiled function calls only functions of its own file: the cache on disk notices a change of the function's
  own file, not of files with functions that it calls.
- Large outputs are allocated by the caller: numpy asks the system for huge pages, compiled code does not.
- Index letters: ``i`` observation, ``j`` vote, ``u`` user, ``k`` label, ``t`` iteration.
"""
