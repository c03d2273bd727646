"""What the operations of v1 share in their descriptions."""

CONSUMER = "/v1/consumer"
JOBS_PATH = CONSUMER + "/jobs"
JOB_PATH = JOBS_PATH + "/{jobId}"
TAG = "Jobs"
READ_PROBLEMS = (400, 401, 429)
BODY_PROBLEMS = (*READ_PROBLEMS, 408, 413, 415)
