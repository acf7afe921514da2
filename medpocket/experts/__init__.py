"""LoRA adapters of the experts: their files, checked, kept and found again."""
