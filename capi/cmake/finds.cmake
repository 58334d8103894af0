# COMMAND fails, and says CALLED.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(FIND "${output}" "${CALLED}" place)
if(result EQUAL 0 OR place EQUAL -1)
  message(FATAL_ERROR "it ended with ${result}, and did not say \"${CALLED}\":\n${output}")
endif()
message(STATUS "found: ${CALLED}")
