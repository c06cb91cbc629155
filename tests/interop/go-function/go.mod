module order-logger

go 1.21

require github.com/aliyun/fc-runtime-go-sdk v0.3.1
