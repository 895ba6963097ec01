"""What `celery --app worker.celery_app worker` starts; no other code imports it.

Celery wants an application to import, so this module alone reads the environment when imported.
"""

from worker.settings import JobSettings
from worker.supervisor import supervise
from worker.tasks import worker_app

app = worker_app(JobSettings(), supervise)
