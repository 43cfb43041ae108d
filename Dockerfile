# The program in a container, with PyTorch for processors; docs/clusters.md says how it is built and used.
#   docker build --tag uncial .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD":/work uncial data=page data.root=pages
FROM python:3.11-slim

# Where PyTorch comes from: its wheels for processors. With GPUs, from where all else comes: --build-arg TORCH_INDEX=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# HOME and LOGNAME are for users that are unknown in the container, as --user names them.
ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1 HOME=/tmp LOGNAME=uncial

WORKDIR /usr/src/uncial
# By themselves, so that a change of the program does not download them again; what they need comes with the program.
COPY constraints.txt ./
RUN python -m pip install --no-deps --constraint constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch torchvision
COPY . ./
RUN python -m pip install --constraint constraints.txt '.[optuna,slurm]'

# The folder of pages and outputs is mounted here.
WORKDIR /work
ENTRYPOINT ["uncial"]
CMD ["--help"]
