from .data import Interactions as Interactions
from .data import Split as Split
from .data import given_split as given_split
from .data import leave_last_out as leave_last_out
from .data import leave_one_out as leave_one_out
from .data import load_dataset as load_dataset
from .data import load_ratings as load_ratings
from .data import official_split as official_split
from .data import random_split as random_split
from .data import time_split as time_split
from .embeddings.projection import Projection as Projection
from .errors import UnusableRequest as UnusableRequest
from .evaluation import Protocol as Protocol
from .evaluation import evaluate as evaluate
from .models import build_model as build_model
from .recommendation.recommender import Recommender as Recommender
from .runs import RunConfig as RunConfig
from .runs import load_run as load_run
from .training import TrainConfig as TrainConfig
from .training import Trainer as Trainer

__version__: str
