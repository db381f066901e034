"""The units of work that workers do, and what decides whether one is already done."""
