# Lets cargo build the library, at every build: it knows what is new. Sets SUBROSA_LIBRARY.
find_program(SUBROSA_CARGO cargo REQUIRED)

if(DEFINED ENV{CARGO_TARGET_DIR})
  set(SUBROSA_TARGET_DIR "$ENV{CARGO_TARGET_DIR}" CACHE PATH "Where cargo builds")
else()
  set(SUBROSA_TARGET_DIR "${CMAKE_CURRENT_SOURCE_DIR}/../target" CACHE PATH "Where cargo builds")
endif()
get_filename_component(folder "${SUBROSA_TARGET_DIR}" ABSOLUTE)
# Said to cargo, too: what its environment says may be something else when it builds.
set(command "${SUBROSA_CARGO}" build --package subrosa-capi --profile "${SUBROSA_PROFILE}" --target-dir "${folder}")
if(SUBROSA_TARGET)
  string(APPEND folder "/${SUBROSA_TARGET}")
endif()
if(SUBROSA_PROFILE STREQUAL dev)
  string(APPEND folder /debug)
else()
  string(APPEND folder "/${SUBROSA_PROFILE}")
endif()

if(SUBROSA_LINK STREQUAL static)
  set(SUBROSA_LIBRARY "${folder}/libsubrosa_capi.a")
elseif(SUBROSA_LINK STREQUAL shared)
  set(SUBROSA_LIBRARY "${folder}/libsubrosa_capi${CMAKE_SHARED_LIBRARY_SUFFIX}")
else()
  message(FATAL_ERROR "SUBROSA_LINK is ${SUBROSA_LINK}: it is static or shared")
endif()

if(SUBROSA_TARGET)
  list(APPEND command --target "${SUBROSA_TARGET}")
endif()
if(SUBROSA_FEATURES)
  list(APPEND command --features "${SUBROSA_FEATURES}")
endif()
if(NOT SUBROSA_DEFAULT_FEATURES)
  list(APPEND command --no-default-features)
endif()
add_custom_target(subrosa-cargo
  COMMAND ${command}
  BYPRODUCTS "${SUBROSA_LIBRARY}"
  WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/.."
  USES_TERMINAL VERBATIM)
