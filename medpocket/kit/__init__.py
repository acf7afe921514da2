"""The offline kit: one folder from which MedPocket is installed where there is no network and no compiler.

`manifest`, `checking`, `signature` and `install` are carried in the kit itself and run there, on any Python from 3.10
on, before anything is installed: they import nothing but the standard library, `errors`, `text` and `exclusive`.
"""
