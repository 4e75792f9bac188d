// All of the DSL: what a program that builds topologies includes.
#pragma once

#include "dsl/cogroup.h"
#include "dsl/errors.h"
#include "dsl/fields.h"
#include "dsl/stream_builder.h"
