# SOURCE has at most LINES lines of code, without blank ones and comments, and none of them has more than 100 columns.
file(READ "${SOURCE}" text)
# A list of CMake is a text with semicolons, and brackets join its elements: all three count as letters here.
string(REGEX REPLACE "[][;]" "_" text "${text}")

string(REPLACE "\n" ";" lines "${text}")
foreach(line IN LISTS lines)
  string(LENGTH "${line}" columns)
  if(columns GREATER 100)
    message(FATAL_ERROR "${SOURCE}: ${columns} columns: ${line}")
  endif()
endforeach()

string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" "" text "${text}")
string(REPLACE "\n" ";" lines "${text}")
list(FILTER lines INCLUDE REGEX "[^ \t]")
list(LENGTH lines count)
if(count GREATER LINES)
  message(FATAL_ERROR "${SOURCE}: ${count} lines of code, more than ${LINES}")
endif()
message(STATUS "${SOURCE}: ${count} lines of code")
