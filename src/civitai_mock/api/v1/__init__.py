"""The consumer API of jobs, as the real service has it since mid-2025; here are the paths and errors of its routes."""

CONSUMER_PATH = "/v1/consumer"
JOBS_PATH = CONSUMER_PATH + "/jobs"
JOB_PATH = JOBS_PATH + "/{jobId}"
JOBS_TAG = "Jobs"

READ_PROBLEMS = (400, 401, 429)
BODY_PROBLEMS = (*READ_PROBLEMS, 408, 413, 415)

JOBS, BATCH = "jobs", "batch"  # what a submission of several templates has
