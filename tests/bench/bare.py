"""The yardstick: a bare FastAPI route with a model in and out."""

import os

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Params(BaseModel):
    prompt: str
    width: int
    height: int


class Template(BaseModel):
    model: str
    params: Params


app = FastAPI()
ANSWER = Template(
    model="urn:air:sd1:checkpoint:civitai:4384@128713", params=Params(prompt="x" * 800, width=1, height=1)
)


@app.get("/job")
async def read_job() -> Template:
    return ANSWER


@app.post("/job")
async def submit_job(template: Template) -> Template:
    return template


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning", access_log=False)
