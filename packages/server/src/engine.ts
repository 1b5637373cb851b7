/** The engine that a relay's databases are of: the one place that says which. */
export { sqliteEngine as engine } from './store/sqlite/sqlite-engine.ts';
