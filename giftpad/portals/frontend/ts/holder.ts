import { begin } from "./hx";

begin();
