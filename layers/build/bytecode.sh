#!/bin/sh
# Adds bytecode to a folder of packages: bytecode.sh FOLDER PYTHON VERSION LEFT_OUT
#
# Packages are read-only on Lambda, so bytecode must be a part of them. Without bytecode a function takes
# two to three times as long to start (docs/performance.md). Lambda's Python reads only bytecode of its
# VERSION. The bytecode is made by PYTHON if PYTHON has this version, else by pythonVERSION on the PATH,
# else by the Python in Lambda's image if Docker has that image. No image is pulled. The files contain a
# hash of their source, which is not checked, and no times or paths. So the same release of Python makes
# the same files everywhere. Modules whose path matches the expression LEFT_OUT get no bytecode.
set -eu
folder=$1 python=$2 left_out=$4 image=
minor=${3#*.}
version=${3%%.*}.${minor%%.*}

is_that() { [ "$("$@" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ]; }

# A module that cannot be compiled has no bytecode; importing it raises the error.
options="-m compileall -qq --invalidation-mode unchecked-hash"

# shellcheck disable=SC2086  # PYTHON and the options are split at spaces
if is_that $python; then
  $python $options -x "$left_out" -s "$folder" "$folder" || true
elif is_that "python$version"; then
  "python$version" $options -x "$left_out" -s "$folder" "$folder" || true
else
  case $(docker version --format '{{.Server.Arch}}' 2>/dev/null || true) in
    amd64) image=public.ecr.aws/lambda/python:$version-x86_64 ;;
    arm64) image=public.ecr.aws/lambda/python:$version-arm64 ;;
  esac
  if [ -n "$image" ] && docker image inspect "$image" >/dev/null 2>&1; then
    docker run --rm --network none --user "$(id -u):$(id -g)" \
      --volume "$folder:/packages" --entrypoint "/var/lang/bin/python$version" "$image" \
      $options -x "$left_out" -s /packages /packages || true
  fi
fi

[ -n "$(find "$folder" -name '*.pyc' -print | head -n 1)" ] ||
  echo "slower  without Python $version there is no bytecode, and cold starts take 2 to 3 times as long;" \
    "put python$version on the PATH, or: docker pull ${image:-public.ecr.aws/lambda/python:$version-x86_64}"
