// Command floor does nothing. Its cost is the cost of any Go program on this
// machine.
package main

func main() {}
