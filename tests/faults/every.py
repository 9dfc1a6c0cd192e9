"""All faults, in the order of the table."""

from tests.faults import processes, storage, time_and_distance

FAULTS = [*processes.FAULTS, *storage.FAULTS, *time_and_distance.FAULTS]
