# llama.cpp's library alone: not the one that its command line programs share.
set(LLAMA_BUILD_COMMON OFF)
